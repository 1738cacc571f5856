// SPDX-License-Identifier: Apache-2.0
// How much a frozen model's features say of a class to one linear layer. imp_method.md section 7, the offline protocol.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/cancel.h"
#include "training/evaluation/metrics.h"

namespace imprint::evaluation {

struct ProbeOptions {
    double rate = 1e-4;  ///< Adam (0.9, 0.999, 1e-8), no decay
    int batch = 128, epochs = 100;
    uint64_t seed = 1;  ///< of the order of the samples
    CancelToken cancel;
};

/// Features of samples, [samples, dim] row-major.
struct FeatureTable {
    int dim = 0;
    std::vector<float> values;
    int samples() const { return dim ? static_cast<int>(values.size()) / dim : 0; }
};

/// Softmax regression, from zero weights.
class LinearProbe {
public:
    /// `labels` in 0 … classes − 1. Error(Usage) without samples, or with features that are not finite.
    LinearProbe(const FeatureTable& features, std::span<const int> labels, int classes, const ProbeOptions& options = {});

    /// Logits [items, classes]. With `clips` > 1 each item is that many rows in succession, whose logits are averaged.
    Scores operator()(const FeatureTable& features, int clips = 1) const;
    /// Mean cross-entropy over the samples of the last epoch, while they were learned.
    double final_loss() const { return final_loss_; }

private:
    int dim_, classes_;
    std::vector<float> weights_, bias_;  ///< [classes, dim], [classes]
    double final_loss_ = 0;
};

}  // namespace imprint::evaluation
