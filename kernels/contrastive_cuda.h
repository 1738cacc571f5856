// SPDX-License-Identifier: Apache-2.0
// The CUDA launchers of a chunk of the contrastive loss (contrastive_chunk.h) over device memory. They start kernels on
// `stream` and return; nothing waits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_namespace.h"
#include "kernels/shapes.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

/// Soft targets [rows, columns] and the sums of all their columns; null for the diagonal.
struct SoftTargets {
    const float* values;
    const float* sums;
};

/// Writes row_sums and positives [samples of the chunk], merges into column_sums [columns].
cudaError_t score_sums(const ScoreShape& shape, const float* scores, SoftTargets targets, float* row_sums, float* positives,
                       float* column_sums, cudaStream_t stream);

cudaError_t score_gradients(const ScoreShape& shape, float* scores, SoftTargets targets, const float* row_sums,
                            const float* column_sums, const float* positives, float factor, cudaStream_t stream);

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
