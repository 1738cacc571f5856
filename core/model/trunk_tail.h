// SPDX-License-Identifier: Apache-2.0
// The trunk's last stages as a part of the network that learns. A frozen trunk was trained on photographs of a thousand kinds of
// things; its last stages see in drawings what helps to tell those apart, and little else.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/model/layers.h"

namespace imprint::model {

/// Blocks 11 to 15 of EfficientNet-lite0 and its 1×1 head. Every 1×1 matrix W acts as W + up · down (Hu et al. 2021,
/// "LoRA") with a bias of its own added; depthwise filters are the trunk's. With `up` and the biases at 0 it is the trunk.
/// Holds its parameters by reference to their tensors. const methods may be called from several threads.
class TrunkTail {
public:
    TrunkTail(const ModelConfig& config, const Parameters& parameters);

    /// middle: [batch, rows, columns, vision_tail_widths[0]], Trunk::Output::middle. Returns the last map, fp32 [batch, ⌈rows/2⌉,
    /// ⌈columns/2⌉, trunk_channels], each value in [0, 6]. Differentiable by the parameters that learn; runs on device meta.
    at::Tensor forward(const at::Tensor& middle, const Precision& precision) const;
    /// The same for use alone: W + up · down as one matrix, added in fp32 and kept in `products`, and one bias. A tail that
    /// learns stays as it is: the gradient of a whole matrix costs more than those of its two narrow ones.
    TrunkTail merged(at::ScalarType products) const;

private:
    struct Pointwise {
        at::Tensor weight, bias, down, up, own_bias;  ///< the last three undefined once merged
        Pointwise merged(at::ScalarType products) const;
        at::Tensor operator()(const at::Tensor& x, const Precision& precision) const;
    };
    struct Block {
        Pointwise expand, project;
        at::Tensor filter, filter_bias;
        int stride;
        bool residual;
    };
    std::vector<Block> blocks_;
    Pointwise head_;
};

}  // namespace imprint::model
