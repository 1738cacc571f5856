// SPDX-License-Identifier: Apache-2.0
// Loops of depthwise_conv: tiles of up to four output columns, sixteen channels at a time, compiled for three processors.
#include "kernels/depthwise_conv_cpu.h"

#include <algorithm>
#include <cstring>

namespace imprint::kernels {
namespace {

constexpr int64_t kLanes = 16;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

#define IMPRINT_INLINE inline __attribute__((always_inline))

IMPRINT_INLINE Lanes load(const float* from)
{
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof(Lanes));
    return lanes;
}

IMPRINT_INLINE Lanes load_some(const float* from, int64_t count)
{
    Lanes lanes{};
    std::memcpy(&lanes, from, static_cast<size_t>(count) * sizeof(float));
    return lanes;
}

// Sixteen channels (or the last `count` of them) of Columns neighbouring output pixels. `first` is the input column under
// the filter's left edge; columns and rows outside the map count as zero and are left out of the sum.
template <int Kernel, int Stride, int Columns, bool Whole, bool Inside>
IMPRINT_INLINE void tile_channels(const DepthwiseConvShape& shape, const float* item, const float* weight,
                                  const float* bias, float* output, int64_t top, int64_t first, int64_t channel,
                                  int64_t count)
{
    const auto fetch = [count](const float* from) __attribute__((always_inline)) {
        return Whole ? load(from) : load_some(from, count);
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
        std::memcpy(output + t * channels + channel, &value, static_cast<size_t>(Whole ? kLanes : count) * sizeof(float));
    }
}

template <int Kernel, int Stride, int Columns, bool Inside>
IMPRINT_INLINE void tile(const DepthwiseConvShape& shape, const float* item, const float* weight, const float* bias,
                         float* output, int64_t top, int64_t first)
{
    int64_t channel = 0;
    for (; channel + kLanes <= shape.channels; channel += kLanes)
        tile_channels<Kernel, Stride, Columns, true, Inside>(shape, item, weight, bias, output, top, first, channel, kLanes);
    if (channel < shape.channels)
        tile_channels<Kernel, Stride, Columns, false, Inside>(shape, item, weight, bias, output, top, first, channel,
                                                              shape.channels - channel);
}

template <int Kernel, int Stride>
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
                tile<Kernel, Stride, kColumns, true>(shape, item, weight, bias, place, top, first);
            else
                tile<Kernel, Stride, kColumns, false>(shape, item, weight, bias, place, top, first);
        }
        const int64_t first = column * Stride - shape.pad_left;
        float* place = out + column * shape.channels;
        switch (shape.out_width - column) {
        case 3: tile<Kernel, Stride, 3, false>(shape, item, weight, bias, place, top, first); break;
        case 2: tile<Kernel, Stride, 2, false>(shape, item, weight, bias, place, top, first); break;
        case 1: tile<Kernel, Stride, 1, false>(shape, item, weight, bias, place, top, first); break;
        default: break;
        }
    }
}

}  // namespace

// "fma" stands for processors with AVX and FMA but no AVX-512; the plain clone serves every x86-64.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define IMPRINT_CLONES __attribute__((target_clones("avx512f", "fma", "default")))
#else
#define IMPRINT_CLONES
#endif

#define IMPRINT_ROWS(KERNEL, STRIDE)                                                                                  \
    IMPRINT_CLONES void depthwise_rows_##KERNEL##_##STRIDE(const DepthwiseConvShape& shape, const float* input,       \
                                                           const float* weight, const float* bias, float* output,     \
                                                           int64_t first_row, int64_t last_row)                       \
    {                                                                                                                 \
        rows<KERNEL, STRIDE>(shape, input, weight, bias, output, first_row, last_row);                                \
    }
IMPRINT_ROWS(3, 1)
IMPRINT_ROWS(3, 2)
IMPRINT_ROWS(5, 1)
IMPRINT_ROWS(5, 2)

void depthwise_conv_rows(const DepthwiseConvShape& shape, const float* input, const float* weight, const float* bias,
                         float* output, int64_t first_row, int64_t last_row)
{
    const auto body = shape.kernel == 3 ? (shape.stride == 1 ? depthwise_rows_3_1 : depthwise_rows_3_2)
                                        : (shape.stride == 1 ? depthwise_rows_5_1 : depthwise_rows_5_2);
    body(shape, input, weight, bias, output, first_row, last_row);
}

}  // namespace imprint::kernels
