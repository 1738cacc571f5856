// SPDX-License-Identifier: Apache-2.0
// The CUDA launchers of layer_norm over device memory. T is float or Bfloat16. They start kernels on `stream` and return;
// nothing waits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_namespace.h"
#include "kernels/shapes.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

/// Rows that one partial sum of the parameters' gradients covers.
constexpr int64_t kNormRows = 256;

/// bias may be null; means and inverses: [rows].
template <class T>
cudaError_t layer_norm(const NormShape& shape, const T* x, const float* scale, const float* bias, T* result, float* means,
                       float* inverses, cudaStream_t stream);

/// partial: scratch [⌈rows / kNormRows⌉, 2, width]; grad_parameters: [2, width], of scale, then of bias.
template <class T>
cudaError_t layer_norm_backward(const NormShape& shape, const T* grad, const T* x, const float* scale, const float* means,
                                const float* inverses, T* gradient, float* partial, float* grad_parameters, cudaStream_t stream);

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
