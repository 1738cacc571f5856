// SPDX-License-Identifier: Apache-2.0
// The mixture over a prepared corpus (training/corpus): pictures by the cached maps of the frozen trunk, sounds in memory,
// texts with teacher vectors, the photo dev pool to choose by.
#pragma once

#include <optional>

#include "core/model/text_trunk.h"
#include "training/batches.h"
#include "training/mixture.h"
#include "training/photo_dev.h"
#include "training/samplers.h"

namespace imprint::training {

class CorpusMixture final : public Mixture {
public:
    /// Decodes and caches what the objectives read. Throws Error: a missing or damaged corpus, one that lacks what an
    /// objective trains on.
    CorpusMixture(const Recipe& recipe, const MixtureOptions& options);

    std::string name(size_t objective) const override { return objective_name(recipe_.objectives[objective].kind); }
    /// One objective a step, weighted at random.
    std::vector<Task> tasks(int64_t step) override { return {{sampler_.choose(step), step, step, 1}}; }
    StepLoss loss(Passes& passes, const model::Network& network, const Task& task) override;
    void fill_given_parts(model::Parameters& parameters) const override;
    void settle(model::Parameters& parameters) const override;
    nlohmann::json facts() const override { return {{"corpus", corpus_.hash()}}; }
    void begin(const model::Network& network) const override;
    /// "dev" and "dev_teacher": the photo dev pool by the network's and by the teacher's words.
    nlohmann::json evaluate(const model::Network& network) const override;
    void complete(model::Checkpoint& checkpoint, const model::Network& network) const override;

private:
    enum class Medium { Pictures, Sounds, Texts };
    /// Whether the network may make something else of them than the weights that the run goes on from did.
    bool changes(Medium medium) const;
    /// Whether an objective draws them, or their score statistics are measured anew: else none is decoded.
    bool needs(Medium medium) const;
    PictureFeatures open_pictures(const MixtureOptions& options);
    SoundClips open_sounds(const MixtureOptions& options);
    std::filesystem::path feature_folder() const;

    Recipe recipe_;
    at::Device device_;
    std::function<void(const std::string&)> log_;
    std::optional<model::Checkpoint> initial_;  // what the run goes on from, without its weights; where that is a whole model
    media::Decoder decoder_;
    Corpus corpus_;
    model::Parameters trunk_weights_;
    model::Trunk trunk_;
    model::Parameters text_trunk_weights_;
    std::unique_ptr<model::TextTrunk> text_trunk_;  // with the hybrid text stem
    tokens::TextTokenizer tokenizer_;
    tokens::LogMel log_mel_;
    SoundClips sounds_;
    PictureFeatures pictures_;
    PhotoDev dev_;
    Objectives objectives_;
    WeightedSampler sampler_;
};

}  // namespace imprint::training
