// SPDX-License-Identifier: Apache-2.0
// AdamW with decoupled decay on matrices only, and clipping by the global norm: imp_method.md section 5.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/model/lanes.h"
#include "core/model/parameters.h"
#include "training/recipe.h"

namespace imprint::training {

/// Owns first and second moments of every trainable tensor; tensors without a gradient in a step are left alone, moments
/// included (an objective that never touches a modality must not decay it).
class AdamW {
public:
    AdamW(const model::ModelConfig& config, const model::Parameters& parameters);

    /// One step: p −= rate · (m̂ / (√v̂ + ε) + decay · p), with bias correction by the number of updates each tensor has
    /// had. Returns the global gradient norm before clipping; where it is not finite nothing is changed. Clears the gradients.
    /// Same bits on any number of lanes.
    double step(const Recipe& recipe, double rate, const model::Lanes& lanes);

    /// Moments as named tensors ("m.<name>", "v.<name>") and update counts ("n.<name>"), for exact resume.
    model::Parameters state() const;
    void restore(const model::Parameters& state);

private:
    struct Slot {
        std::string name;
        at::Tensor parameter, m, v;
        int64_t updates = 0;
        bool decays = false;
    };
    static void update(Slot& slot, const Recipe& recipe, double rate, double scale);

    std::vector<Slot> slots_;
};

}  // namespace imprint::training
