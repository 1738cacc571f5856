// SPDX-License-Identifier: Apache-2.0
// The two ends of a mixture of experts: rows to the experts' slots, and the experts' results back to their tokens. No
// one-hot matrix, no atomics: every sum runs in order of experts. Source: imp_method.md section 2, step 5.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imprint::kernels {

// Shapes in this file; `slots` is what kernels/routing.h gives, and within one expert a token stands at most once.
//   x      [groups, tokens, width]             fp32 or bf16 (fp64 on the CPU too), contiguous
//   slots  [groups, experts, capacity]         int64, a token of the group or -1 for an empty slot
//   rows   [experts, groups, capacity, width]  so that .view({experts, groups·capacity, width}) is what at::bmm wants
//   gates  [groups, experts, capacity]         fp32 (fp64 where rows are)
// CPU, CUDA and Meta. Throws c10::Error on wrong shapes and types, and on the CPU on a slot that names no token.

/// rows[e, g, s] = x[g, slots[g, e, s]], zeros in an empty slot. Differentiable in x.
at::Tensor dispatch_rows(const at::Tensor& x, const at::Tensor& slots);

/// result[g, t] = Σ over experts e of gates[g, e, s] · rows[e, g, s], s being the slot where e holds t; a token that no
/// expert holds gets zeros. Summed in fp32 (fp64), given in the dtype of rows: [groups, tokens, width]. Differentiable in
/// rows and gates.
at::Tensor combine_rows(const at::Tensor& rows, const at::Tensor& gates, const at::Tensor& slots, int64_t tokens);

}  // namespace imprint::kernels
