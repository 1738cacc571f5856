// SPDX-License-Identifier: Apache-2.0
// The two things that the CUDA bodies need to know of torch's CUDA side.
#pragma once

#include <ATen/core/Tensor.h>
#include <cuda_runtime.h>

#include "kernels/cuda_namespace.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

/// torch's current stream on the tensor's device.
cudaStream_t stream_of(const at::Tensor& tensor);

/// Throws c10::Error with the operator's name where a launch failed.
void check(cudaError_t error, const char* op);

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
