// SPDX-License-Identifier: Apache-2.0
// A label set in the model's space: what its labels' vectors are, and how high a moment stands above chance under each.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "app/jobs/jobs.h"
#include "app/jobs/label_posterior.h"
#include "app/jobs/label_set.h"
#include "app/jobs/learned_labels.h"

namespace imprint::jobs {

/// Vectors of a set's labels, with their behaviour on the background. By Modality; empty for one that the set does not look at.
struct LabelKeys {
    /// Rows: the labels in the set's order, then the sentences for "none", in theirs.
    Vectors keys[2];
    std::vector<index::QueryBackground> backgrounds[2];
    std::optional<LearnedLabels> learned;  ///< in place of both

    /// Calibrated scores of one moment under every row: deviations above the background, as in search (index/calibration.h).
    /// `mean` and `deviation`: of the vector's cosines to the text bank.
    std::vector<float> scores(std::span<const float> vector, float mean, float deviation, Modality modality) const;
    /// Probability of each label in the set's order, and last of none: by what was learned, else by the scores.
    std::vector<double> probabilities(const LabelSet& set, std::span<const float> vector, float mean, float deviation,
                                      Modality modality, const LabelOptions& options) const;
};

/// A label's vector is the mean over its name and synonyms in all sentences of resources/prompts and over its own sentences,
/// brought to unit length (imp_method.md section 7), and told with what the lexicon says of its name as a query is
/// (core/lexicon.h). Encodes texts only, and those of a set that was used before not again (prompt_cache.h); a learned set's file
/// is read instead. `progress` hears the share of the labels that are encoded, 0 to 1, from the calling thread. Throws what the
/// encoder and read_learned_labels() throw, and Cancelled.
LabelKeys label_keys(Engine& engine, const LabelSet& set, const CancelToken& cancel = {},
                     const std::function<void(double)>& progress = {});

}  // namespace imprint::jobs
