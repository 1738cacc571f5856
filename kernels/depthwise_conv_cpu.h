// SPDX-License-Identifier: Apache-2.0
// The CPU body of depthwise_conv, over plain memory: no tensor, no thread.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/shapes.h"

namespace imprint::kernels {

/// Computes rows [first_row, last_row) of the batch's out_height·batch output rows. Any thread; rows are independent.
using DepthwiseConvRows = void (*)(const DepthwiseConvShape& shape, const float* input, const float* weight, const float* bias,
                                   float* output, int64_t first_row, int64_t last_row);

struct DepthwiseConvBody {
    const char* name;  ///< "avx512", "avx2", "plain"
    DepthwiseConvRows rows;
};

/// The bodies that this processor can run, fastest first; never empty. Results of two bodies may differ in last bits.
const std::vector<DepthwiseConvBody>& depthwise_conv_bodies();

}  // namespace imprint::kernels
