// SPDX-License-Identifier: Apache-2.0
// CUDA kernel of log_mel: a block a frame; magnitudes in shared memory, then a warp a band.
#include "kernels/log_mel_cuda.h"

#include "kernels/cuda_common.cuh"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

struct alignas(8) Complex {
    float real, imaginary;
};

__global__ void bands_of_frame(MelShape shape, const float* spectrum, const int64_t* first, const int64_t* offsets,
                               const float* weights, float* result)
{
    __shared__ float magnitude[kMaxBins];
    // A frame has an odd number of bins, so only pairs of floats are aligned in all of them.
    const auto* bins = reinterpret_cast<const Complex*>(spectrum) + static_cast<int64_t>(blockIdx.x) * shape.bins;
    for (int64_t bin = threadIdx.x; bin < shape.bins; bin += blockDim.x) {
        const Complex value = bins[bin];
        magnitude[bin] = sqrtf(value.real * value.real + value.imaginary * value.imaginary);
    }
    __syncthreads();
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    for (int64_t band = threadIdx.x / kWarp; band < shape.bands; band += kThreads / kWarp) {
        const int64_t offset = offsets[band], count = offsets[band + 1] - offset, start = first[band];
        float sum = 0;
        for (int64_t i = lane; i < count; i += kWarp)
            if (start + i < shape.bins)
                sum += weights[offset + i] * magnitude[start + i];
        sum = warp_sum(sum);
        if (lane == 0)
            result[blockIdx.x * shape.bands + band] = logf(sum + 1e-6f);
    }
}

}  // namespace

cudaError_t mel_frames(const MelShape& shape, const float* spectrum, const int64_t* first, const int64_t* offsets,
                       const float* weights, float* result, cudaStream_t stream)
{
    return launch(bands_of_frame, shape.frames, kThreads, stream, shape, spectrum, first, offsets, weights, result);
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
