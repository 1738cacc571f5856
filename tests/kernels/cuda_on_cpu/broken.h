// SPDX-License-Identifier: Apache-2.0
// Kernels with the mistakes that kernels have, and one without, for the test of the CPU device.
#pragma once

#include <cuda_runtime.h>

namespace imprint::cuda_on_cpu {

/// out[i] = the sum of a block's 64 values, by a tree in shared memory. Each launcher but the first has one mistake.
cudaError_t sum_right(const float* in, float* out, int blocks);
cudaError_t sum_without_barrier(const float* in, float* out, int blocks);
cudaError_t sum_past_the_end(const float* in, float* out, int blocks);
cudaError_t sum_before_the_start(const float* in, float* out, int blocks);
cudaError_t sum_past_the_shared_array(const float* in, float* out, int blocks);
cudaError_t sum_of_unwritten_shared_memory(const float* in, float* out, int blocks);
cudaError_t sum_with_a_divergent_barrier(const float* in, float* out, int blocks);
cudaError_t sum_with_an_early_return(const float* in, float* out, int blocks);
cudaError_t sum_by_misaligned_packs(const float* in, float* out, int blocks);
cudaError_t sum_into_one_place(const float* in, float* out, int blocks);
cudaError_t sum_of_half_a_warp(const float* in, float* out, int blocks);

}  // namespace imprint::cuda_on_cpu
