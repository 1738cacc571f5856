// SPDX-License-Identifier: Apache-2.0
// 8-bit frames to the patch vectors of the encoder, without a float copy of the clip. Source: imp_method.md section 1.2.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imprint::kernels {

/// Cuts a clip into patches of patch_frames × patch_size × patch_size and scales 0 … 255 to [-1, 1] as x / 127.5 − 1.
///   frames  uint8 [batch, frames, height, width, 3], contiguous; height and width multiples of patch_size; frames a
///           multiple of patch_frames, or fewer than one patch holds: then they are repeated from the first on
///   kept    int64 [batch or 1, n], contiguous: which patches DropToken leaves (numbered time, row, column; the last runs
///           fastest); undefined: all
/// Returns fp32 [batch, n, patch_frames·patch_size²·3], a vector running over (time, row, column, colour). Bytes have no
/// derivative. CPU, CUDA and Meta. Throws c10::Error on wrong shapes and types, and on the CPU on an index that is no patch.
at::Tensor patchify(const at::Tensor& frames, int64_t patch_frames, int64_t patch_size, const at::Tensor& kept = {});

}  // namespace imprint::kernels
