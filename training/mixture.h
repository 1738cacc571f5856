// SPDX-License-Identifier: Apache-2.0
// What a run trains on: which objectives each step draws, the batches behind them and their losses. The trainer steps; what a
// step is made of is asked here. imp_method.md section 3.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/cancel.h"
#include "core/model/checkpoint.h"
#include "core/model/network.h"
#include "training/passes.h"
#include "training/plan.h"
#include "training/recipe.h"
#include "training/step_loss.h"

namespace imprint::training {

/// For one thread at a time.
class Mixture {
public:
    virtual ~Mixture() = default;

    /// What messages, metrics and reports call an objective.
    virtual std::string name(size_t objective) const = 0;
    /// The tasks of a step: a function of the recipe and the step alone.
    virtual std::vector<Task> tasks(int64_t step) = 0;
    /// Draws the task's batch, sends it forward through `passes` and makes the loss of their rows. The batch is a function of
    /// recipe and task alone.
    virtual StepLoss loss(Passes& passes, const model::Network& network, const Task& task) = 0;

    /// Fills what fresh parameters have from the data: statistics, class texts, piece vectors.
    virtual void fill_given_parts(model::Parameters& parameters) const = 0;
    /// Measures anew what goes by the weights that were learned, before they are written.
    virtual void settle(model::Parameters&) const { }
    /// What must be the same again when a run goes on.
    virtual nlohmann::json facts() const = 0;
    /// What the mixture has learnt of its data on the way (samples that cannot be read): part of a run's state.
    virtual nlohmann::json state() const { return nullptr; }
    virtual void restore(const nlohmann::json&) { }

    /// Called once before the first step of a start: says what can be said of the data and the untrained parts.
    virtual void begin(const model::Network&) const { }
    /// {GROUP: {FIGURE: number}}; null where there is nothing to evaluate.
    virtual nlohmann::json evaluate(const model::Network& network) const = 0;
    /// Adds to a checkpoint of the network what comes from the data: trunk, tokenizer, score statistics, provenance.
    virtual void complete(model::Checkpoint& checkpoint, const model::Network& network) const = 0;
};

struct MixtureOptions {
    at::Device device = at::kCPU;                 ///< where the network computes
    model::Precision precision;                   ///< of the network's products
    const Ranks* ranks = nullptr;                 ///< who share every batch; none: alone. Outlives the mixture
    std::function<void(const std::string&)> log;  ///< one line at a time, from any thread
    CancelToken cancel;
};

/// Opens the data that the recipe names and checks it against the recipe. Throws Error as the sources do.
std::unique_ptr<Mixture> open_mixture(const Recipe& recipe, const MixtureOptions& options);

}  // namespace imprint::training
