// SPDX-License-Identifier: Apache-2.0
// Streams and errors of the real thing.
#include "kernels/cuda_stream.h"

#include <c10/cuda/CUDAStream.h>
#include <c10/util/Exception.h>

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

cudaStream_t stream_of(const at::Tensor& tensor) { return c10::cuda::getCurrentCUDAStream(tensor.device().index()).stream(); }

void check(cudaError_t error, const char* op)
{
    TORCH_CHECK(error == cudaSuccess, op, ": the kernel could not be started: ", cudaGetErrorString(error));
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
