// SPDX-License-Identifier: Apache-2.0
// The AGD loop: each step draws one objective (its dataset, modalities and resolution with it), makes one batch of it, and
// updates the shared weights on that batch alone. imp_method.md section 3.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/base/cancel.h"
#include "core/encoder.h"

namespace imprint::training {

struct TrainOptions {
    std::filesystem::path recipe;
    std::filesystem::path run;                    ///< folder of the run; empty: ./run-<recipe name>
    std::optional<int64_t> steps;                 ///< overrides the recipe's: with_steps()
    bool resume = false;                          ///< go on from the run's last state
    EncoderOptions encoder;                       ///< device; threads
    std::function<void(const std::string&)> log;  ///< one line at a time, from the calling thread or a worker
    CancelToken cancel;                           ///< writes a state and returns
};

struct TrainReport {
    int64_t step = 0;  ///< steps done in all
    double seconds = 0;
    bool finished = false;             ///< false when cancelled
    std::filesystem::path checkpoint;  ///< the finished model: <run>/<model name>.safetensors
};

/// Runs (or resumes) a recipe. Leaves in the run folder: recipe.toml as resolved, metrics.jsonl, events/ for
/// TensorBoard, checkpoints/step-N with model.safetensors, optimizer.safetensors and state.json (written to a temporary name
/// and renamed), and at the end the model. What a step draws is a function of the recipe's seed and the step, so a resumed run is
/// bit-equal to one never stopped (same binary, machine and thread count). A loss that is not finite throws Error(Malformed)
/// naming step and objective. Refuses a run folder that has states without `resume`.
TrainReport run(const TrainOptions& options);

}  // namespace imprint::training
