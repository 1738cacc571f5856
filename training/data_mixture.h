// SPDX-License-Identifier: Apache-2.0
// The mixture over data sets: media decoded and augmented ahead of the steps, any objective on any modality, in the patch stem or
// the hybrid one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "training/data/prefetcher.h"
#include "training/dataset_evaluation.h"
#include "training/inputs.h"
#include "training/mixture.h"
#include "training/objective.h"
#include "training/stem.h"

namespace imprint::training {

class DataMixture final : public Mixture {
public:
    /// Opens every data set. Throws Error as the sources and BatchReader do, and Error(Usage) naming objective and data set where
    /// a classifier has another number of classes than its data.
    DataMixture(const Recipe& recipe, const MixtureOptions& options);

    /// With several ranks, each reads the media of its share of every batch; loss() then tells the others what they say.
    /// Of a draw: its objectives' names joined by "+" where several share the batch.
    std::string name(size_t objective) const override { return draws_[objective].name; }
    std::vector<Task> tasks(int64_t step) override { return plan_->tasks(step); }
    StepLoss loss(Passes& passes, const model::Network& network, const Task& task) override;
    void fill_given_parts(model::Parameters& parameters) const override;
    /// Sizes and classes of the data sets.
    nlohmann::json facts() const override;
    /// Unreadable samples by objective and data set.
    nlohmann::json state() const override;
    void restore(const nlohmann::json& state) override;
    nlohmann::json evaluate(const model::Network& network) const override;
    void complete(model::Checkpoint& checkpoint, const model::Network& network) const override;

private:
    /// What one batch serves: one objective, or with Policy::Combine all that draw alike.
    struct Draw {
        std::string name;
        std::vector<size_t> members;  ///< of the recipe's objectives
        Wanted wanted;
        InputMaker::How how;
        int clips = 1, captions = 1;
        bool trunk = false;  ///< somebody asks for its activations
        std::unique_ptr<BatchReader> reader;
    };
    void open_sources();
    void group_objectives();
    void open_reader(Draw& draw, const MixtureOptions& options);
    void check_classes(const Draw& draw) const;
    std::shared_ptr<Sampler> sampler() const;
    PassList::Share share() const { return {ranks_.rank(), ranks_.world()}; }
    ItemRange own_items(const Draw& draw) const;
    at::Tensor trunk_activations(const Inputs& inputs) const;
    const DatasetRecipe& dataset(const std::string& name) const;
    MediaCache* cache() const { return recipe_.cache_mib > 0 ? &cache_ : nullptr; }
    Looking looking(const model::Network& network) const;
    at::Tensor unit_rows(const model::Network& network, const std::string& modality, const std::string& against,
                         int64_t most) const;

    Recipe recipe_;
    at::Device device_;
    const Ranks alone_;
    const Ranks& ranks_;
    Sources sources_;
    mutable media::Decoder decoder_;  // any thread may call it
    mutable MediaCache cache_;        // as well
    std::string tokenizer_model_;
    std::optional<tokens::TextTokenizer> tokenizer_;
    tokens::LogMel log_mel_;
    Stem stem_;  // empty where the recipe names none
    std::optional<InputMaker> maker_;
    std::vector<std::unique_ptr<Objective>> objectives_;  // as the recipe's
    std::vector<Draw> draws_;
    std::unique_ptr<Plan> plan_, ahead_;  // the trainer's, and the prefetcher's
    std::map<size_t, Batch> batches_;     // of the step in hand, by draw
    int64_t step_ = -1;
    std::unique_ptr<Prefetcher> prefetcher_;
};

}  // namespace imprint::training
