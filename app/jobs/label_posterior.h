// SPDX-License-Identifier: Apache-2.0
// From scores to labels: probabilities, smoothing over time, abstention, spans. Pure arithmetic.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/jobs/label_set.h"
#include "index/library.h"

namespace imprint::jobs {

struct LabelOptions {
    /// "None of them" stands at this standardised score, where search begins to say "maybe". A place that rises with the number of
    /// labels, as equal odds beforehand would have it, is likelier on random sets of the corpus's photographs and drawings, but
    /// leaves next to nothing labelled with a shipped set of fifty, and was given up.
    float none_at = 2.2f;
    /// By how much a label's log odds grow with each deviation that it stands higher. Chosen on photographs of the corpus's pool:
    /// what is decided then is right a little more often than it says.
    float sharpness = 1.5f;
    double confidence = 0.5;  ///< below this probability of being right the program abstains; 0 to 1
    bool smooth = true;       ///< over time, in video and sound
    double memory = 10;       ///< seconds over which a moment stops speaking for the next one
};

/// Probability of each label in the set's order, and last of none. `scores` as LabelKeys::scores gives them.
/// One label a moment: a softmax over sharpness × score, where none has the higher of none_at and its sentences' scores; the
/// probabilities sum to 1. Several: each label against none by itself (a logistic function), none where no label is.
std::vector<double> label_probabilities(const LabelSet& set, const std::vector<float>& scores, const LabelOptions& options);

/// Smooths one modality of one file, moments in time order, in place: the marginals of a hidden Markov chain (forward and
/// backward) whose state stays from one moment to the next with probability max(0, cosine of the two vectors)⁴ ×
/// exp(−gap / memory), the gap being between their middles, and else is drawn anew. So a cut to another picture lets go, what
/// looks on alike holds on. Several labels: one chain of two states for each.
void smooth_labels(const LabelSet& set, const std::vector<index::Moment>& moments, const Vectors& vectors,
                   const LabelOptions& options, std::vector<std::vector<double>>& probabilities);

/// What is said of one moment.
struct Guess {
    std::vector<int> labels =
        {};                  ///< the set's numbers, the surest first; one at most unless the set allows several. Empty: none
    double probability = 0;  ///< that this is right, as far as the scores tell
    bool decided = false;    ///< false: the program abstains, and `labels` holds what it leans to
};

/// The surest label if it reaches the confidence, else the nearest of its parents that does by the sum of its kinds (for several:
/// by the highest of them), else an abstention. None is decided like a label.
Guess decide(const LabelSet& set, const std::vector<double>& probabilities, const LabelOptions& options);

/// A stretch of one file with one label.
struct LabelSpan {
    index::Moment moment;  ///< its extent; without times for a still image
    int label = 0;
    double probability = 0;  ///< mean over its moments, by their length
};

/// Joins neighbours of equal label: those that touch within half a second. `labels[i]`: what moment i carries, in time order, one
/// modality of one file.
std::vector<LabelSpan> label_spans(const std::vector<index::Moment>& moments, const std::vector<std::vector<int>>& labels,
                                   const std::vector<double>& probabilities);

}  // namespace imprint::jobs
