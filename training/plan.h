// SPDX-License-Identifier: Apache-2.0
// From samplers to the tasks of each step: which objective, and which of its draws.
#pragma once

#include <memory>
#include <vector>

#include "training/samplers.h"

namespace imprint::training {

/// One batch of one step. A step with several tasks adds up their gradients, each times its weight, and updates once.
struct Task {
    size_t objective = 0;  ///< its number in the mixture
    int64_t step = 0;
    int64_t draw = 0;  ///< which draw of the objective, from 0
    double weight = 1;
};

/// A function of the step alone; asking for steps in order is cheap, since the draws before a step are counted once. For one
/// thread at a time.
class Plan {
public:
    /// `every`: each step is a draw of every entry whose share is above 0, weighted by it; else one entry, as the sampler says.
    Plan(std::shared_ptr<const Sampler> sampler, bool every);

    std::vector<Task> tasks(int64_t step);

private:
    std::shared_ptr<const Sampler> sampler_;
    bool every_;
    int64_t next_ = 0;            // step up to which draws are counted
    std::vector<int64_t> draws_;  // of each entry before that step
};

}  // namespace imprint::training
