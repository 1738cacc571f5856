// SPDX-License-Identifier: Apache-2.0
// Looking over what was labelled: which moments to look at, what to remember, and what a reviewed sample tells of the rest.
#pragma once

#include <vector>

#include "app/jobs/label_job.h"
#include "index/label_store.h"

namespace imprint::jobs {

/// A moment of the run to look at.
struct ReviewItem {
    size_t moment = 0;   ///< of LabelRun::moments
    bool drawn = false;  ///< by chance, for the estimate; else because it is uncertain
};

/// The next moments to review, none of them reviewed yet. Every third is the next in an order that chance fixed once for every
/// moment of the library and set, among those that are decided; they make the sample that accuracy is estimated from. The others
/// are the most uncertain and unlike each other: each time the one with the greatest (1 − p₁ + p₂) × (1 − its highest cosine to
/// those taken before), p₁ and p₂ being its two likeliest answers, among the kCandidates most uncertain.
std::vector<ReviewItem> review_queue(const Engine& engine, const LabelRun& run, size_t count);
inline constexpr size_t kCandidates = 600;

/// The decided moments (of LabelRun::moments) in that order of chance.
std::vector<size_t> order_of_chance(const LabelRun& run);

/// A verdict (a label's number or LabelledMoment::kNone) as the library keeps it.
index::Review verdict_on(const LabelRun& run, const ReviewItem& item, int verdict);

/// Keeps a verdict (a label's number or LabelledMoment::kNone) in the library and in the run; nothing: takes it back.
/// Error(Busy) while another program writes; then nothing has changed.
void review(const Engine& engine, LabelRun& run, const ReviewItem& item, std::optional<int> verdict);

/// A share with an interval that holds the true one with a probability of at least 95 % (Clopper and Pearson 1934: exact
/// binomial tails, never too narrow).
struct Estimate {
    double share = 0, low = 0, high = 1;
};
Estimate estimated_share(int right, int of);

/// What the reviewed moments tell.
struct ReviewState {
    int reviewed = 0;
    int sample = 0, sample_right = 0;  ///< moments that chance chose, up to the last that was reached in its order
    std::optional<Estimate> accuracy;  ///< of what the program decides; nothing below kLeastSample
    bool calibrated = false;           ///< probabilities were mended by what was reviewed
};
inline constexpr int kLeastSample = 10, kLeastCalibration = 20;
ReviewState review_state(const LabelRun& run);

/// Whether a guess is right under a verdict: the label itself or what it is a kind of; none for none.
bool is_right(const LabelSet& set, const Guess& guess, int verdict);

/// Platt's scaling (2000, with his targets): right with probability 1 / (1 + exp(−slope × logit(p) − offset)).
struct Platt {
    double slope = 1, offset = 0;
    double operator()(double probability) const;
};
/// By Newton's method on the likelihood; a slope is never below zero.
Platt fit_platt(const std::vector<double>& probabilities, const std::vector<bool>& right);

/// From kLeastCalibration reviewed moments on, replaces the probability of every guess by what those say. Which answer leads
/// does not change; what then falls below the confidence is abstained from, what rises above it is decided. Once for a run.
void calibrate(LabelRun& run);

}  // namespace imprint::jobs
