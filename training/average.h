// SPDX-License-Identifier: Apache-2.0
// A moving average of the weights, which is what is evaluated and kept: it forgets the noise of the last steps. (Polyak &
// Juditsky 1992; the rising decay of TensorFlow's ExponentialMovingAverage, so that the first weights are soon forgotten.)
#pragma once

#include "core/model/parameters.h"
#include "core/model/lanes.h"

namespace imprint::training {

class Average {
public:
    /// `decay` in [0, 1): 0 keeps nothing apart, and parameters() are the weights themselves. Trainable tensors are copied, the
    /// others shared.
    Average(const model::Parameters& weights, double decay);

    /// After step `step`, from 0: average ← d · average + (1 − d) · weights with d = min(decay, (1 + step) / (10 + step)). Same
    /// bits on any number of lanes.
    void update(int64_t step, const model::Lanes& lanes);

    bool active() const { return decay_ > 0; }
    /// A network's parameters; they change in place.
    const model::Parameters& parameters() const { return average_; }
    /// parameters(), for a run's state, so that it stands alone as a model; empty where there is no average.
    model::Parameters state() const;
    /// Error(Malformed) naming the tensor that is missing.
    void restore(const model::Parameters& state);

private:
    double decay_;
    model::Parameters average_;
    std::vector<std::pair<at::Tensor, at::Tensor>> pairs_;  // average, weights
};

}  // namespace imprint::training
