// SPDX-License-Identifier: Apache-2.0
// Kernels that should not pass, each beside the one it was spoiled from.
#include "tests/kernels/cuda_on_cpu/broken.h"

namespace imprint::cuda_on_cpu {
namespace {

constexpr int kThreads = 64;

enum Mistake {
    kNone,
    kNoBarrier,
    kPastEnd,
    kBeforeStart,
    kPastShared,
    kUnwritten,
    kDivergent,
    kEarlyReturn,
    kMisaligned,
    kOnePlace,
    kHalfWarp
};

struct alignas(16) Four {
    float values[4];
};

template <int What>
__global__ void sum(const float* in, float* out)
{
    __shared__ float parts[kThreads];
    const int i = static_cast<int>(threadIdx.x);
    const float* own = in + blockIdx.x * kThreads;
    if (What == kEarlyReturn && i == 40)
        return;
    if (What == kMisaligned && i < kThreads / 4) {
        const Four four = *reinterpret_cast<const Four*>(own + 4 * i + 1);
        for (int j = 0; j < 4; ++j)
            parts[4 * i + j] = four.values[j];
    } else if (What == kPastEnd) {
        parts[i] = own[i + 1];
    } else if (What == kBeforeStart) {
        parts[i] = own[i - 1];
    } else if (What == kHalfWarp) {
        parts[i] = i % 32 < 16 ? __shfl_xor_sync(0xffffffffu, own[i], 1) : own[i];
    } else if (What != kMisaligned && !(What == kUnwritten && i == 17)) {
        parts[i] = own[i];
    }
    for (int step = kThreads / 2; step > 0; step /= 2) {
        if (What == kDivergent && i < 32)
            __syncthreads();
        else if (What != kNoBarrier)
            __syncthreads();
        if (i < step)
            parts[i] += parts[i + (What == kPastShared ? kThreads : step)];
    }
    if (i == 0)
        out[What == kOnePlace ? 0 : blockIdx.x] = parts[0];
}

template <int What>
cudaError_t start(const float* in, float* out, int blocks)
{
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(static_cast<unsigned>(blocks));
    config.blockDim = dim3(kThreads);
    return cudaLaunchKernelEx(&config, sum<What>, in, out);
}

}  // namespace

cudaError_t sum_right(const float* in, float* out, int blocks) { return start<kNone>(in, out, blocks); }
cudaError_t sum_without_barrier(const float* in, float* out, int blocks) { return start<kNoBarrier>(in, out, blocks); }
cudaError_t sum_past_the_end(const float* in, float* out, int blocks) { return start<kPastEnd>(in, out, blocks); }
cudaError_t sum_before_the_start(const float* in, float* out, int blocks) { return start<kBeforeStart>(in, out, blocks); }
cudaError_t sum_past_the_shared_array(const float* in, float* out, int blocks) { return start<kPastShared>(in, out, blocks); }
cudaError_t sum_of_unwritten_shared_memory(const float* in, float* out, int blocks) { return start<kUnwritten>(in, out, blocks); }
cudaError_t sum_with_a_divergent_barrier(const float* in, float* out, int blocks) { return start<kDivergent>(in, out, blocks); }
cudaError_t sum_with_an_early_return(const float* in, float* out, int blocks) { return start<kEarlyReturn>(in, out, blocks); }
cudaError_t sum_by_misaligned_packs(const float* in, float* out, int blocks) { return start<kMisaligned>(in, out, blocks); }
cudaError_t sum_into_one_place(const float* in, float* out, int blocks) { return start<kOnePlace>(in, out, blocks); }
cudaError_t sum_of_half_a_warp(const float* in, float* out, int blocks) { return start<kHalfWarp>(in, out, blocks); }

}  // namespace imprint::cuda_on_cpu
