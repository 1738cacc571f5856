// SPDX-License-Identifier: Apache-2.0
// Learning a person's own classes from labelled folders, or from what was reviewed in the library. The result is a label set that
// the jobs of label_job.h use as any other and, where the network itself was trained, a checkpoint that use_model() switches to.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/jobs/jobs.h"
#include "app/jobs/label_review.h"

namespace imprint::jobs {

/// Probe: a linear layer over the model's vectors as they are (seconds; no new checkpoint). Lora: low-rank matrices beside those
/// of the network's blocks, and its heads, folded in at the end (minutes). Full: every weight that the model's own training
/// moves. Auto: by the number of files of the median class, see mode_for().
enum class FinetuneMode { Auto, Probe, Lora, Full };
const char* finetune_mode_name(FinetuneMode mode);  ///< "auto", "probe", "lora", "full"
FinetuneMode mode_for(int64_t files_of_median_class);

struct FinetuneOptions {
    std::filesystem::path folder;  ///< holds a folder of media for each class; empty: `from_labels` says what to learn
    std::string from_labels;       ///< a label set's name or file, of which the library holds verdicts
    FinetuneMode mode = FinetuneMode::Auto;
    /// The checkpoint to write; its label set is OUT with .toml in place of .safetensors, what that learned in
    /// OUT.layer.safetensors, and the new weights by themselves in OUT.weights.safetensors. In Probe the label set and what it
    /// learned are all. Empty: "<the folder's or set's name>.safetensors" in
    /// learned_folder().
    std::filesystem::path out;
    /// The share of the new weights in the result, 0 to 1; at 0 the weights are the old ones, bit for bit. Not in Probe, where
    /// there are none. Nothing: the greatest of 1, 0.75, 0.5, 0.25 and 0 that costs general search at most kMostLoss points and
    /// gets no fewer watched examples right than the old weights. Where OUT.weights.safetensors was learned from the same model,
    /// files, mode, steps and seed, nothing is learned again and another blend costs no more than reading the examples.
    std::optional<double> blend;
    int64_t steps = 160;              ///< of the network's training, at most; not in Probe
    std::filesystem::path pack = {};  ///< what the model is reminded of beside the library; empty: the shipped one
    uint64_t seed = 1;
};

/// <library>/learned
std::filesystem::path learned_folder(const Engine& engine);
/// The label sets there, by name.
std::vector<std::filesystem::path> learned_label_sets(const Engine& engine);
/// A file as named, else the learned or shipped set of that name. Error(NotFound) lists the shipped ones.
std::filesystem::path find_label_set(const Engine& engine, const std::string& named);

struct FinetuneProgress {
    std::string stage;               ///< "reading", "learning", "measuring", "writing", "done"
    int64_t done = 0, of = 0;        ///< files, steps or measurements of the stage
    std::optional<double> loss;      ///< learning: of the last step on the classes
    std::optional<double> accuracy;  ///< learning: share right of the examples that early stopping looks at
    double seconds = 0;
};

/// Shares of the held-out files that are put into their own class. What the held-out files of a class, or of all, say. Nothing
/// that is learned has seen them.
struct ClassRow {
    std::string name;
    int64_t files = 0;  ///< learned from, the held-out ones included: the label set that is written has learned from all
    int64_t held_out = 0;
    Estimate by_name;               ///< the old model, asked for the class's name in words
    Estimate probed;                ///< the old model with a linear layer
    std::optional<Estimate> tuned;  ///< the result's weights with a linear layer; nothing in Probe
};

/// What general search lost: text to picture and text to sound on the pack's held-back items (training/finetune/replay_pack.h).
/// Points are means of R@1 and R@10 in percent.
struct Retention {
    double before = 0, after = 0;
    double low = 0, high = 0;  ///< of the loss before − after, 95 % by bootstrap over the queries
    int64_t queries = 0;
    double loss() const { return before - after; }
};
inline constexpr double kMostLoss = 2;

/// One blend that was looked at.
struct BlendRow {
    double blend = 0;
    double accuracy = 0;  ///< of the examples that early stopping looks at; where there are none, of those learned from
    Retention retention;
};

struct FinetuneReport {
    FinetuneMode mode = FinetuneMode::Probe;
    std::string name;                  ///< of the label set
    std::filesystem::path label_set;   ///< as written
    std::filesystem::path checkpoint;  ///< as written; empty in Probe: the model stays
    std::string space;                 ///< whose vectors the label set reads
    int64_t files = 0, examples = 0;   ///< that were read, and their moments
    std::vector<ClassRow> classes;
    ClassRow all;
    std::vector<index::Failure> failed;  ///< files that could not be read
    std::vector<std::pair<std::string, int64_t>>
        left_out;                        ///< classes with fewer than kLeastExamples readable files, and how many
    std::optional<Retention> retention;  ///< of the result; nothing in Probe, and where no pack fits the model
    double blend = 1;
    std::vector<BlendRow> blends;       ///< from 1 down
    int64_t steps = 0;                  ///< of the network's training that were kept
    bool learned_before = false;        ///< the new weights are those that an earlier run left; only their share is new
    std::vector<std::string> warnings;  ///< whole sentences: what got worse, and the way back
    double seconds = 0;
};
inline constexpr int64_t kLeastExamples = 3;

/// Reads the examples (pictures, moments of video by what they show, sounds by what they are), learns, measures and writes. A
/// fifth of the files of each class, at least one, is held out. Nothing is written before the end, and then each file whole;
/// cancelled or failed, what was there before is still there. Media are never written to, and the library is only read. Any one
/// thread.
///
/// Errors: NotFound (the folder, the label set, no library to take verdicts from); Malformed for a folder without class folders,
/// two whose names differ in capitals alone, and fewer than two classes with kLeastExamples readable files (with the first file's
/// reason); Usage for a blend outside 0 … 1 or in Probe; Unsupported or Malformed for a file that is no checkpoint of ours;
/// DiskFull before anything is read where the result has no room; Cancelled.
FinetuneReport finetune(Engine& engine, const FinetuneOptions& options,
                        const std::function<void(const FinetuneProgress&)>& progress = {}, const CancelToken& cancel = {});

}  // namespace imprint::jobs
