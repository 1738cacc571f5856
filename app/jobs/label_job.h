// SPDX-License-Identifier: Apache-2.0
// Labels for a library's moments and files, from stored vectors alone: nothing is decoded.
#pragma once

#include "app/jobs/jobs.h"
#include "app/jobs/label_keys.h"
#include "app/jobs/label_posterior.h"

namespace imprint::jobs {

/// A moment with what the program says of it and, where someone looked at it, what they said.
struct LabelledMoment {
    size_t file = 0;  ///< of LabelRun::files
    index::Moment moment;
    Guess guess;
    std::vector<std::pair<int, double>> likeliest = {};  ///< labels (kNone for none) by probability, at most kShown
    /// A person's verdict: a label's number, kNone, or kOther for a label that the set no longer has.
    std::optional<int> verdict = {};
    bool drawn = false;  ///< the verdict's moment was chosen by chance

    static constexpr int kNone = -1, kOther = -2;
    static constexpr size_t kShown = 9;

    /// What it counts as: the verdict where there is one, else what is decided. Nothing: none, or abstained.
    std::vector<int> labels() const;
    bool abstained() const { return !verdict && !guess.decided; }
};

struct LabelledFile {
    int64_t id = 0;
    std::filesystem::path path;
    media::Probe probe;
    std::vector<LabelSpan> spans = {};  ///< in time order, pictures before sounds
    /// Every label of a span once: the share of the file's looked-at length that carries it, the greatest first.
    struct Whole {
        int label;
        double share, probability;
    };
    std::vector<Whole> labels = {};
};

struct LabelRun {
    LabelSet set;
    LabelOptions options;
    std::string space;
    std::vector<LabelledFile> files;      ///< those with a moment that the set looks at, by id
    std::vector<LabelledMoment> moments;  ///< file by file, in time order
    double seconds = 0;
};

/// Labels what passes the filter in the active space. `progress` hears the share done, 0 to 1, from the calling thread.
/// Throws as search() does for a library that is missing or of another model, and Cancelled.
LabelRun label(Engine& engine, const LabelSet& set, const index::Filter& filter = {}, const LabelOptions& options = {},
               const std::function<void(double)>& progress = {}, const CancelToken& cancel = {});

/// Spans and whole labels of every file from its moments, after verdicts changed.
void gather_files(LabelRun& run);

/// Keeps the run's labels in the library as guesses, in place of earlier ones of this set; what people said stays. Returns how
/// many labels were kept. Error(Busy) while another program writes.
int64_t apply_labels(const Engine& engine, const LabelRun& run, const CancelToken& cancel = {});

/// What the program expects of its own decided labels.
struct LabelTally {
    int64_t decided = 0, abstained = 0, none = 0;  ///< moments with a label, without an answer, and with "none" as the answer
    double wrong_share = 0;               ///< expected share of wrong ones among decided and none, by their probabilities
    std::vector<int64_t> moments, files;  ///< by label
};
LabelTally tally(const LabelRun& run);

}  // namespace imprint::jobs
