// SPDX-License-Identifier: Apache-2.0
// The examples of a run as vectors: which are held out, what is learned from the others, and how many of the held-out files that
// gets right. Arithmetic alone.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/jobs/finetune_job.h"
#include "app/jobs/label_review.h"
#include "app/jobs/learned_labels.h"

namespace imprint::jobs {

/// Moments of labelled files, each with what is known of it. Parallel lists.
struct ExampleTable {
    std::vector<std::string> classes;
    std::vector<training::LabelledGroup> labels;  ///< of each moment; `classes.size()`: none of them. The group is its file
    std::vector<Modality> modalities;
    Vectors vectors;
    std::vector<size_t> numbers;  ///< of each moment among all that were read
    std::vector<int> parts;       ///< 0: held out, 1: watched by early stopping, 2: learned from

    static constexpr int kHeldOut = 0, kWatched = 1, kLearned = 2;
    static constexpr int kParts = 5;  ///< a fifth of a class's files is held out

    /// Different files of each class, and last of none.
    std::vector<int64_t> files() const;
    std::vector<int64_t> files(int part) const;
    std::vector<Modality> looks_at() const;
};

/// Takes away the classes with fewer files than `least`; what had their labels is gone. Returns their names and how many files
/// they had.
std::vector<std::pair<std::string, int64_t>> drop_small_classes(ExampleTable& table, int64_t least);

/// Fills `parts`: a fifth of each class's files is held out, at least one; of the rest a fifth is watched, where a class has four
/// or more left in the smallest.
void hold_out(ExampleTable& table, uint64_t seed);

/// A layer for each modality, learned from the moments of which `learn` says so. What is none of the classes is what a person
/// said so of, where there are kLeastExamples of that, else the model's own background. `vectors`: of the table's moments, the
/// table's own or another model's.
using Layers = std::array<std::optional<training::ClassProbe>, 2>;
Layers fit_layers(const ExampleTable& table, const Vectors& vectors, const std::array<Vectors, 2>& background,
                  const std::function<bool(int part)>& learn, uint64_t seed, const CancelToken& cancel);

/// Files of one part that are put into their class: that with the greatest sum over the file's moments of `scores` (one for each
/// class).
struct Tally {
    std::vector<int> right, of;  ///< by class

    int all_right() const;
    int all() const;
};
using ScoresOf = std::function<std::vector<double>(size_t moment)>;
Tally files_right(const ExampleTable& table, int part, const ScoresOf& scores);

/// Logarithms of a layer's probabilities as scores. `layers` and `vectors` outlive the result.
ScoresOf scores_by(const ExampleTable& table, const Vectors& vectors, const Layers& layers);

}  // namespace imprint::jobs
