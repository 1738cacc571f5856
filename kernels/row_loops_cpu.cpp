// SPDX-License-Identifier: Apache-2.0
// Compiled for three kinds of processor; the one that runs is chosen when the program starts.
#include "kernels/row_loops_cpu.h"

#if defined(__x86_64__)
#define IMPRINT_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define IMPRINT_EACH_PROCESSOR
#endif

namespace imprint::kernels {

IMPRINT_EACH_PROCESSOR
void center_bytes(const uint8_t* bytes, int64_t count, float* numbers)
{
    for (int64_t i = 0; i < count; ++i)
        numbers[i] = static_cast<float>(bytes[i] - 127) / 128.0f;
}

IMPRINT_EACH_PROCESSOR
void add_bias_and_clamp(float* values, int64_t rows, int64_t columns, int64_t stride, const float* bias, float high)
{
    for (int64_t row = 0; row < rows; ++row, values += stride)
        for (int64_t column = 0; column < columns; ++column) {
            float value = values[column] + bias[column];
            value = value > 0 ? value : 0;
            values[column] = value < high ? value : high;
        }
}

IMPRINT_EACH_PROCESSOR
void fill_with_bias(float* output, int64_t rows, int64_t columns, const float* bias, const float* residual)
{
    if (!residual) {
        for (int64_t row = 0; row < rows; ++row, output += columns)
            for (int64_t column = 0; column < columns; ++column)
                output[column] = bias[column];
        return;
    }
    for (int64_t row = 0; row < rows; ++row, output += columns, residual += columns)
        for (int64_t column = 0; column < columns; ++column)
            output[column] = bias[column] + residual[column];
}

}  // namespace imprint::kernels
