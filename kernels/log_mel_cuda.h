// SPDX-License-Identifier: Apache-2.0
// The CUDA launcher of log_mel after its transform. It starts a kernel on `stream` and returns; nothing waits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_namespace.h"
#include "kernels/shapes.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

constexpr int64_t kMaxBins = 8192;

/// spectrum [frames, bins, 2] (real, imaginary), at most kMaxBins bins → result [frames, bands].
cudaError_t mel_frames(const MelShape& shape, const float* spectrum, const int64_t* first, const int64_t* offsets,
                       const float* weights, float* result, cudaStream_t stream);

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
