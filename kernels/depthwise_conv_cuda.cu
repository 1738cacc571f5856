// SPDX-License-Identifier: Apache-2.0
// CUDA kernel of depthwise_conv: a thread sums four neighbouring channels of one output pixel, rows before columns.
#include "kernels/depthwise_conv_cuda.h"

#include "kernels/cuda_common.cuh"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

template <int Kernel, bool Vector>
__global__ void convolve(DepthwiseConvShape shape, int64_t packs, const float* input, const float* weight, const float* bias,
                         float* output)
{
    using Values = Pack<float, Vector>;
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, per_pixel = shape.channels / Values::kSize;
    if (i >= packs)
        return;
    const int64_t pixel = i / per_pixel, channel = i % per_pixel * Values::kSize;
    const int64_t x = pixel % shape.out_width, y = pixel / shape.out_width % shape.out_height;
    const int64_t left = x * shape.stride - shape.pad_left, top = y * shape.stride - shape.pad_top;
    const float* item = input + pixel / shape.out_width / shape.out_height * shape.height * shape.width * shape.channels;
    Values sums = load<Vector>(bias + channel);
    for (int row = 0; row < Kernel; ++row) {
        if (top + row < 0 || top + row >= shape.height)
            continue;
        for (int column = 0; column < Kernel; ++column) {
            if (left + column < 0 || left + column >= shape.width)
                continue;
            const Values values = load<Vector>(item + ((top + row) * shape.width + left + column) * shape.channels + channel);
            const Values taps = load<Vector>(weight + (row * Kernel + column) * shape.channels + channel);
            for (int j = 0; j < Values::kSize; ++j)
                sums.values[j] += values.values[j] * taps.values[j];
        }
    }
    for (int j = 0; j < Values::kSize; ++j)
        sums.values[j] = fminf(fmaxf(sums.values[j], 0.0f), shape.clamp_high);
    store(output + pixel * shape.channels + channel, sums);
}

}  // namespace

cudaError_t depthwise_conv(const DepthwiseConvShape& shape, int64_t batch, const float* input, const float* weight,
                           const float* bias, float* output, cudaStream_t stream)
{
    const bool packed = fits_packs<float>(shape.channels, input, weight, bias, output);
    const int64_t packs = batch * shape.out_height * shape.out_width * (shape.channels / (packed ? 4 : 1));
    const auto kernel =
        shape.kernel == 3 ? (packed ? convolve<3, true> : convolve<3, false>) : (packed ? convolve<5, true> : convolve<5, false>);
    return launch(kernel, divide_up(packs, kThreads), kThreads, stream, shape, packs, input, weight, bias, output);
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
