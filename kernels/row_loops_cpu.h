// SPDX-License-Identifier: Apache-2.0
// What surrounds a product of rows in the trunk, over plain memory: no tensor, no thread.
#pragma once

#include <cstdint>

namespace imprint::kernels {

/// numbers[i] = (bytes[i] − 127) / 128: how the trunk was trained to see pixels.
void center_bytes(const uint8_t* bytes, int64_t count, float* numbers);

/// values[row, column] = clamp(values[row, column] + bias[column], 0, high); rows lie `stride` numbers apart.
void add_bias_and_clamp(float* values, int64_t rows, int64_t columns, int64_t stride, const float* bias, float high);

/// output[row, column] = bias[column], plus residual[row, column] where `residual` is not null. All rows lie side by side.
void fill_with_bias(float* output, int64_t rows, int64_t columns, const float* bias, const float* residual);

}  // namespace imprint::kernels
