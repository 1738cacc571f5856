// SPDX-License-Identifier: Apache-2.0
// The CUDA launcher of depthwise_conv over device memory. It starts a kernel on `stream` and returns; nothing waits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_namespace.h"
#include "kernels/shapes.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

cudaError_t depthwise_conv(const DepthwiseConvShape& shape, int64_t batch, const float* input, const float* weight,
                           const float* bias, float* output, cudaStream_t stream);

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
