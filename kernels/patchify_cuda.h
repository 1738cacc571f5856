// SPDX-License-Identifier: Apache-2.0
// The CUDA launcher of patchify over device memory. It starts a kernel on `stream` and returns; nothing waits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_namespace.h"
#include "kernels/shapes.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

/// kept may be null where shape.kept_items is 0. A kept index that names no patch gives zeros.
cudaError_t patchify(const PatchShape& shape, const uint8_t* frames, const int64_t* kept, float* result, cudaStream_t stream);

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
