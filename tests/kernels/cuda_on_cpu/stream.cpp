// SPDX-License-Identifier: Apache-2.0
// Streams and errors of the CPU device, in the place of kernels/cuda_stream.cpp.
#include "kernels/cuda_stream.h"

#include <c10/util/Exception.h>

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

cudaStream_t stream_of(const at::Tensor&) { return nullptr; }

void check(cudaError_t error, const char* op) { TORCH_CHECK(error == cudaSuccess, op, ": ", cudaGetErrorString(error)); }

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
