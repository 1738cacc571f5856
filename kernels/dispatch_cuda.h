// SPDX-License-Identifier: Apache-2.0
// The CUDA launchers of dispatch and combine over device memory, layouts as in dispatch.h. T is float or Bfloat16. They
// start kernels on `stream` and return; nothing waits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_namespace.h"
#include "kernels/shapes.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

/// gates may be null.
template <class T>
cudaError_t gather_rows(const DispatchShape& shape, const T* x, const int64_t* slots, const float* gates, T* rows,
                        cudaStream_t stream);

/// inverse: scratch [groups, tokens, experts]; gates may be null.
template <class T>
cudaError_t combine_rows(const DispatchShape& shape, const T* rows, const int64_t* slots, const float* gates, int32_t* inverse,
                         T* result, cudaStream_t stream);

template <class T>
cudaError_t gate_gradients(const DispatchShape& shape, const T* grad, const T* rows, const int64_t* slots, float* gradient,
                           cudaStream_t stream);

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
