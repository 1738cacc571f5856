// SPDX-License-Identifier: Apache-2.0
// Activation checkpointing: a block that keeps its input alone for the backward pass, and goes forwards once more there.
// (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost".)
#pragma once

#include "core/model/layers.h"

namespace imprint::model {

/// block.forward() with the same values, the same gradients and, in exchange for a second forward pass, the memory of one block
/// at a time. `tensors`: all of the block's parameters, as it holds them. Probes are of the first pass.
at::Tensor recomputed(const Block& block, const std::vector<at::Tensor>& tensors, const at::Tensor& x, const Precision& precision,
                      Auxiliary& auxiliary, const at::Tensor& attention_bias = {});

}  // namespace imprint::model
