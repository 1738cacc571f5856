// SPDX-License-Identifier: Apache-2.0
// Loops of depthwise_conv: tiles of up to four output columns, one vector register of channels at a time, compiled for
// three kinds of processor. A channel's sum has the same order in all of them.
#include "kernels/depthwise_conv_cpu.h"

#include <algorithm>
#include <cstring>

namespace imprint::kernels {
namespace {

#define IMPRINT_INLINE inline __attribute__((always_inline))

// A register's worth of neighbouring channels. Wider than the processor's registers it would live in memory.
template <int Count>
struct Vector {
    typedef float Lanes __attribute__((vector_size(Count * sizeof(float))));

    static IMPRINT_INLINE Lanes load(const float* from)
    {
        Lanes lanes;
        std::memcpy(&lanes, from, sizeof(Lanes));
        return lanes;
    }

    static IMPRINT_INLINE Lanes load_some(const float* from, int64_t count)
    {
        Lanes lanes{};
        std::memcpy(&lanes, from, static_cast<size_t>(count) * sizeof(float));
        return lanes;
    }
};

// One register of channels (or the last `count` of them) of Columns neighbouring output pixels. `first` is the input
// column under the filter's left edge; columns and rows outside the map count as zero and are left out of the sum.
template <int Width, int Kernel, int Stride, int Columns, bool Whole, bool Inside>
IMPRINT_INLINE void tile_channels(const DepthwiseConvShape& shape, const float* item, const float* weight, const float* bias,
                                  float* output, int64_t top, int64_t first, int64_t channel, int64_t count)
{
    using Lanes = typename Vector<Width>::Lanes;
    const auto fetch = [count](const float* from) __attribute__((always_inline))
    {
        return Whole ? Vector<Width>::load(from) : Vector<Width>::load_some(from, count);
    };
    const int64_t channels = shape.channels;
    Lanes sums[Columns];
    for (int t = 0; t < Columns; ++t)
        sums[t] = fetch(bias + channel);
    for (int row = 0; row < Kernel; ++row) {
        if (top + row < 0 || top + row >= shape.height)
            continue;
        const float* pixels = item + ((top + row) * shape.width + first) * channels + channel;
        Lanes filter[Kernel];
#pragma GCC unroll 8
        for (int column = 0; column < Kernel; ++column)
            filter[column] = fetch(weight + (row * Kernel + column) * channels + channel);
#pragma GCC unroll 16
        for (int column = 0; column < (Columns - 1) * Stride + Kernel; ++column) {
            if (!Inside && (first + column < 0 || first + column >= shape.width))
                continue;
            const Lanes pixel = fetch(pixels + column * channels);
#pragma GCC unroll 8
            for (int t = 0; t < Columns; ++t) {
                const int tap = column - t * Stride;
                if (tap >= 0 && tap < Kernel)
                    sums[t] += pixel * filter[tap];
            }
        }
    }
    const Lanes zero{};
    const Lanes high = zero + shape.clamp_high;
#pragma GCC unroll 8
    for (int t = 0; t < Columns; ++t) {
        Lanes value = sums[t] > zero ? sums[t] : zero;
        value = value < high ? value : high;
        std::memcpy(output + t * channels + channel, &value, static_cast<size_t>(Whole ? Width : count) * sizeof(float));
    }
}

template <int Width, int Kernel, int Stride, int Columns, bool Inside>
IMPRINT_INLINE void tile(const DepthwiseConvShape& shape, const float* item, const float* weight, const float* bias,
                         float* output, int64_t top, int64_t first)
{
    int64_t channel = 0;
    for (; channel + Width <= shape.channels; channel += Width)
        tile_channels<Width, Kernel, Stride, Columns, true, Inside>(shape, item, weight, bias, output, top, first, channel,
                                                                    Width);
    if (channel < shape.channels)
        tile_channels<Width, Kernel, Stride, Columns, false, Inside>(shape, item, weight, bias, output, top, first, channel,
                                                                     shape.channels - channel);
}

template <int Width, int Kernel, int Stride>
IMPRINT_INLINE void rows(const DepthwiseConvShape& shape, const float* input, const float* weight, const float* bias,
                         float* output, int64_t first_row, int64_t last_row)
{
    constexpr int kColumns = 4;
    for (int64_t row = first_row; row < last_row; ++row) {
        const float* item = input + row / shape.out_height * shape.height * shape.width * shape.channels;
        const int64_t top = row % shape.out_height * Stride - shape.pad_top;
        float* out = output + row * shape.out_width * shape.channels;
        int64_t column = 0;
        for (; column + kColumns <= shape.out_width; column += kColumns) {
            const int64_t first = column * Stride - shape.pad_left;
            float* place = out + column * shape.channels;
            if (first >= 0 && first + (kColumns - 1) * Stride + Kernel <= shape.width)
                tile<Width, Kernel, Stride, kColumns, true>(shape, item, weight, bias, place, top, first);
            else
                tile<Width, Kernel, Stride, kColumns, false>(shape, item, weight, bias, place, top, first);
        }
        const int64_t first = column * Stride - shape.pad_left;
        float* place = out + column * shape.channels;
        switch (shape.out_width - column) {
        case 3:
            tile<Width, Kernel, Stride, 3, false>(shape, item, weight, bias, place, top, first);
            break;
        case 2:
            tile<Width, Kernel, Stride, 2, false>(shape, item, weight, bias, place, top, first);
            break;
        case 1:
            tile<Width, Kernel, Stride, 1, false>(shape, item, weight, bias, place, top, first);
            break;
        default:
            break;
        }
    }
}

template <int Width>
IMPRINT_INLINE void any_rows(const DepthwiseConvShape& shape, const float* input, const float* weight, const float* bias,
                             float* output, int64_t first_row, int64_t last_row)
{
    if (shape.kernel == 3 && shape.stride == 1)
        rows<Width, 3, 1>(shape, input, weight, bias, output, first_row, last_row);
    else if (shape.kernel == 3)
        rows<Width, 3, 2>(shape, input, weight, bias, output, first_row, last_row);
    else if (shape.stride == 1)
        rows<Width, 5, 1>(shape, input, weight, bias, output, first_row, last_row);
    else
        rows<Width, 5, 2>(shape, input, weight, bias, output, first_row, last_row);
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx2,fma"))) void rows_avx512(const DepthwiseConvShape& shape, const float* input,
                                                             const float* weight, const float* bias, float* output,
                                                             int64_t first_row, int64_t last_row)
{
    any_rows<16>(shape, input, weight, bias, output, first_row, last_row);
}

__attribute__((target("avx2,fma"))) void rows_avx2(const DepthwiseConvShape& shape, const float* input, const float* weight,
                                                   const float* bias, float* output, int64_t first_row, int64_t last_row)
{
    any_rows<8>(shape, input, weight, bias, output, first_row, last_row);
}
#endif

}  // namespace

const std::vector<DepthwiseConvBody>& depthwise_conv_bodies()
{
    static const std::vector<DepthwiseConvBody> bodies = [] {
        std::vector<DepthwiseConvBody> found;
#if defined(__x86_64__)
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx512f"))
            found.push_back({"avx512", rows_avx512});
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            found.push_back({"avx2", rows_avx2});
#endif
        found.push_back({"plain", any_rows<4>});
        return found;
    }();
    return bodies;
}

}  // namespace imprint::kernels
