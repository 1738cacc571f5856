// SPDX-License-Identifier: Apache-2.0
// The CPU body of depthwise_conv, over plain memory: no tensor, no thread.
#pragma once

#include <cstdint>
#include <vector>

namespace imprint::kernels
{

/// Sizes of one call; pointers are contiguous float32 in the layouts of depthwise_conv.h.
struct DepthwiseConvShape {
    int64_t height, width, channels;
    int64_t out_height, out_width;
    int64_t pad_top, pad_left;
    int64_t kernel, stride; ///< kernel 3 or 5, stride 1 or 2
    float clamp_high;
};

/// Computes rows [first_row, last_row) of the batch's out_height·batch output rows. Any thread; rows are independent.
using DepthwiseConvRows = void (*)(const DepthwiseConvShape& shape, const float* input, const float* weight,
    const float* bias, float* output, int64_t first_row, int64_t last_row);

struct DepthwiseConvBody {
    const char* name; ///< "avx512", "avx2", "plain"
    DepthwiseConvRows rows;
};

/// The bodies that this processor can run, fastest first; never empty. Results of two bodies may differ in last bits.
const std::vector<DepthwiseConvBody>& depthwise_conv_bodies();

} // namespace imprint::kernels
