// SPDX-License-Identifier: Apache-2.0
// The contrastive loss in chunks of rows: products are libtorch's, the softmax half is ours, and no matrix of the whole
// batch against the whole batch is ever held. Source: imp_method.md section 4, recipe.md for the soft targets.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imprint::kernels {

struct ContrastiveOptions {
    double margin = 0;          ///< taken off the scores of a sample's own pairs before they become its positive
    int64_t chunk_rows = 1024;  ///< rows of scores held at a time (at least those of one sample)
    /// Soft targets instead of the diagonal, one instance a sample, margin 0. Either [batch, batch] rows that sum to one,
    at::Tensor targets;
    /// or a teacher's unit vectors [batch, teacher_dim], whose softmax(sharpness · t·tᵀ) is computed chunk by chunk.
    at::Tensor teacher;
    double sharpness = 1;
};

/// Cross-modal NCE between unit vectors, the mean of both directions, as a scalar. With s = a·b / temperature:
///   one or several instances (a [batch, dim] or [batch, n₁, dim], b likewise with n₂):
///     positive of sample i = logsumexp of (s − margin) over its own n₁ × n₂ pairs (MIL-NCE),
///     loss = ½ mean(logsumexp over all pairs of i's rows − positive) + ½ mean(the same over i's columns)
///   soft targets T: the mean cross entropy of rows against T and of columns against Tᵀ with rows that sum to one.
/// a, b, teacher: fp32 (fp64 on the CPU too), contiguous; temperature: a scalar tensor like a. Differentiable in a, b and
/// temperature: the way back computes the chunks again. Memory grows with batch · (dim + chunk_rows). CPU, CUDA, Meta.
/// Throws c10::Error on wrong shapes, types and mixtures of options.
at::Tensor contrastive_loss(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature,
                            const ContrastiveOptions& options = {});

}  // namespace imprint::kernels
