// SPDX-License-Identifier: Apache-2.0
// The batches of one objective: which samples of which data sets, decoded. A pure function of seed, objective, draw and index.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "training/data/example.h"
#include "training/data/sample_reader.h"

namespace imprint::training {

struct BatchOptions {
    uint64_t seed = 1;
    std::string objective;  ///< part of the seed
    int64_t batch = 1;
    std::vector<double> weights;          ///< of the sources; empty: by their sizes
    std::vector<Resolution> resolutions;  ///< each draw takes one; may be empty
    ExampleOptions example;               ///< its templates and resolution are filled in here
    int64_t most_unreadable = 100;        ///< per source
    MediaCache* cache = nullptr;          ///< outlives the reader; may be shared
    std::function<void(const std::string&)> log;
};

/// Items from `first` to before `end`.
struct ItemRange {
    int64_t first = 0, end = 0;
    int64_t count() const { return end - first; }
};

struct Batch {
    int64_t draw = 0;
    Resolution resolution;
    std::vector<Example> examples;
    /// Which of them are read here, where other ranks read the others: those then have no media.
    std::optional<ItemRange> part = {};

    ItemRange own() const { return part.value_or(ItemRange{0, static_cast<int64_t>(examples.size())}); }
};

/// Methods may be called from any thread.
class BatchReader {
public:
    /// One data set of an objective; all outlive the reader.
    struct Input {
        std::string dataset;  ///< its name, in the state
        const Source* source = nullptr;
        std::optional<TextTemplates> templates;
        const Source* teacher = nullptr;  ///< features, one row per sample of the source; may be null
    };

    /// Error(Usage) naming the data sets for sources whose classes differ where labels are wanted, for a source without classes
    /// then, and for a teacher that has not one row per sample.
    BatchReader(std::vector<Input> inputs, BatchOptions options, media::Decoder& decoder);

    int64_t batch() const { return options_.batch; }
    const BatchOptions& options() const { return options_; }
    /// Of the sources; empty where there are none.
    const std::vector<std::string>& classes() const { return inputs_.front().source->classes(); }
    Resolution resolution(int64_t draw) const;
    ItemPlace place(int64_t draw, int64_t index) const;

    /// Item `index` of draw `draw`. An unreadable sample is replaced, see SampleReader.
    Example example(int64_t draw, int64_t index) const;
    /// All of them, one after the other.
    Batch read(int64_t draw) const;

    /// {DATASET: {SAMPLE: REASON}} of the unreadable samples met so far, and taking them up again.
    nlohmann::json unreadable() const;
    void restore(const nlohmann::json& unreadable);
    /// Those met since the last call, and the same of other ranks, which count here too; see SampleReader.
    nlohmann::json news() const;
    void learn(const nlohmann::json& unreadable) const;

private:
    using Found = std::map<int64_t, std::string>;
    size_t source_of(int64_t draw, int64_t index) const;
    nlohmann::json listed(const std::function<Found(SampleReader&)>& found) const;
    void each_of(const nlohmann::json& listed, const std::function<void(SampleReader&, const Found&)>& take) const;

    std::vector<Input> inputs_;
    BatchOptions options_;
    media::Decoder& decoder_;
    std::vector<double> shares_;
    std::vector<std::unique_ptr<SampleReader>> readers_;
};

}  // namespace imprint::training
