// SPDX-License-Identifier: Apache-2.0
// Layer norm with fp32 statistics in one pass over memory, in the dtype that comes in. libtorch's own has no Meta body that
// C++ can reach, and needs a copy of bf16 activations in fp32. Source: imp_method.md section 1.4.
#pragma once

#include <ATen/core/Tensor.h>

namespace imprint::kernels {

/// result = (x − mean) / √(variance + epsilon) · scale + bias over the last axis, variance over width (not width − 1).
///   x      [..., width]  fp32 or bf16 (fp64 on the CPU too), contiguous; the result has its shape and dtype
///   scale  [width]       fp32 (fp64 where x is)
///   bias   [width]       like scale, or undefined
/// Statistics are fp32 (fp64). A row depends on itself alone and is summed in one order: its bits do not change with the
/// rows beside it or the number of threads. Differentiable in x, scale and bias; gradients of scale and bias are summed in
/// an order that depends on the number of rows alone. CPU, CUDA and Meta. Throws c10::Error on wrong shapes and types.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias = {}, double epsilon = 1e-6);

}  // namespace imprint::kernels
