// SPDX-License-Identifier: Apache-2.0
// CUDA kernels of layer_norm: a warp a row, read again from the first-level cache; parameters' gradients by columns.
#include "kernels/layer_norm_cuda.h"

#include "kernels/cuda_common.cuh"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 128;
constexpr int kRowsAtOnce = kThreads / kWarp;

template <class T, bool Vector>
__global__ void norm_rows(NormShape shape, const T* x, const float* scale, const float* bias, T* result, float* means,
                          float* inverses)
{
    using Values = Pack<T, Vector>;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int64_t row = static_cast<int64_t>(blockIdx.x) * kRowsAtOnce + threadIdx.x / kWarp;
    if (row >= shape.rows)
        return;
    const T* from = x + row * shape.width;
    float sum = 0;
    for (int64_t i = lane * Values::kSize; i < shape.width; i += kWarp * Values::kSize) {
        const Values values = load<Vector>(from + i);
        for (int j = 0; j < Values::kSize; ++j)
            sum += to_float(values.values[j]);
    }
    const float mean = warp_sum(sum) / static_cast<float>(shape.width);
    float squares = 0;
    for (int64_t i = lane * Values::kSize; i < shape.width; i += kWarp * Values::kSize) {
        const Values values = load<Vector>(from + i);
        for (int j = 0; j < Values::kSize; ++j) {
            const float distance = to_float(values.values[j]) - mean;
            squares += distance * distance;
        }
    }
    const float variance = warp_sum(squares) / static_cast<float>(shape.width);
    const float inverse = 1 / sqrtf(variance + static_cast<float>(shape.epsilon));
    for (int64_t i = lane * Values::kSize; i < shape.width; i += kWarp * Values::kSize) {
        Values values = load<Vector>(from + i);
        for (int j = 0; j < Values::kSize; ++j) {
            const float normed = (to_float(values.values[j]) - mean) * inverse;
            values.values[j] = from_float<T>(normed * scale[i + j] + (bias ? bias[i + j] : 0.0f));
        }
        store(result + row * shape.width + i, values);
    }
    if (lane == 0) {
        means[row] = mean;
        inverses[row] = inverse;
    }
}

template <class T, bool Vector>
__global__ void backward_rows(NormShape shape, const T* grad, const T* x, const float* scale, const float* means,
                              const float* inverses, T* gradient)
{
    using Values = Pack<T, Vector>;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int64_t row = static_cast<int64_t>(blockIdx.x) * kRowsAtOnce + threadIdx.x / kWarp;
    if (row >= shape.rows)
        return;
    const T* slopes = grad + row * shape.width;
    const T* values = x + row * shape.width;
    const float mean = means[row], inverse = inverses[row];
    float along = 0, across = 0;
    for (int64_t i = lane * Values::kSize; i < shape.width; i += kWarp * Values::kSize) {
        const Values g = load<Vector>(slopes + i), v = load<Vector>(values + i);
        for (int j = 0; j < Values::kSize; ++j) {
            const float slope = to_float(g.values[j]) * scale[i + j];
            along += slope;
            across += slope * (to_float(v.values[j]) - mean) * inverse;
        }
    }
    along = warp_sum(along) / static_cast<float>(shape.width);
    across = warp_sum(across) / static_cast<float>(shape.width);
    for (int64_t i = lane * Values::kSize; i < shape.width; i += kWarp * Values::kSize) {
        const Values g = load<Vector>(slopes + i), v = load<Vector>(values + i);
        Values out;
        for (int j = 0; j < Values::kSize; ++j) {
            const float slope = to_float(g.values[j]) * scale[i + j];
            out.values[j] = from_float<T>(inverse * (slope - along - (to_float(v.values[j]) - mean) * inverse * across));
        }
        store(gradient + row * shape.width + i, out);
    }
}

/// A block sums kNormRows rows of 32 packs of columns; its four warps take every fourth row each.
template <class T, bool Vector>
__global__ void sum_columns(NormShape shape, int64_t column_blocks, const T* grad, const T* x, const float* means,
                            const float* inverses, float* partial)
{
    using Values = Pack<T, Vector>;
    __shared__ float sums[2][kRowsAtOnce][kWarp * Values::kSize];
    const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
    const int64_t chunk = blockIdx.x / column_blocks;
    const int64_t first = chunk * kNormRows;
    const int64_t last = first + kNormRows < shape.rows ? first + kNormRows : shape.rows;
    const int64_t columns = blockIdx.x % column_blocks * kWarp * Values::kSize, column = columns + lane * Values::kSize;
    float of_scale[Values::kSize] = {}, of_bias[Values::kSize] = {};
    if (column < shape.width)
        for (int64_t row = first + warp; row < last; row += kRowsAtOnce) {
            const Values g = load<Vector>(grad + row * shape.width + column), v = load<Vector>(x + row * shape.width + column);
            for (int j = 0; j < Values::kSize; ++j) {
                const float slope = to_float(g.values[j]);
                of_scale[j] += slope * (to_float(v.values[j]) - means[row]) * inverses[row];
                of_bias[j] += slope;
            }
        }
    for (int j = 0; j < Values::kSize; ++j) {
        sums[0][warp][lane * Values::kSize + j] = of_scale[j];
        sums[1][warp][lane * Values::kSize + j] = of_bias[j];
    }
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < 2 * kWarp * Values::kSize; i += kThreads) {
        const int which = i / (kWarp * Values::kSize), place = i % (kWarp * Values::kSize);
        if (columns + place >= shape.width)
            continue;
        float sum = 0;
        for (int part = 0; part < kRowsAtOnce; ++part)
            sum += sums[which][part][place];
        partial[(chunk * 2 + which) * shape.width + columns + place] = sum;
    }
}

__global__ void sum_chunks(int64_t width, int64_t chunks, const float* partial, float* result)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= 2 * width)
        return;
    float sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
        sum += partial[chunk * 2 * width + i];
    result[i] = sum;
}

}  // namespace

template <class T>
cudaError_t layer_norm(const NormShape& shape, const T* x, const float* scale, const float* bias, T* result, float* means,
                       float* inverses, cudaStream_t stream)
{
    const auto kernel = fits_packs<T>(shape.width, x, result) ? norm_rows<T, true> : norm_rows<T, false>;
    return launch(kernel, divide_up(shape.rows, kRowsAtOnce), kThreads, stream, shape, x, scale, bias, result, means, inverses);
}

template <class T>
cudaError_t layer_norm_backward(const NormShape& shape, const T* grad, const T* x, const float* scale, const float* means,
                                const float* inverses, T* gradient, float* partial, float* grad_parameters, cudaStream_t stream)
{
    const bool packed = fits_packs<T>(shape.width, grad, x, gradient);
    IMPRINT_CUDA_TRY(launch(packed ? backward_rows<T, true> : backward_rows<T, false>, divide_up(shape.rows, kRowsAtOnce),
                            kThreads, stream, shape, grad, x, scale, means, inverses, gradient));
    const int64_t column_blocks = divide_up(shape.width, kWarp * (packed ? Pack<T, true>::kSize : 1));
    const int64_t chunks = divide_up(shape.rows, kNormRows);
    IMPRINT_CUDA_TRY(launch(packed ? sum_columns<T, true> : sum_columns<T, false>, chunks * column_blocks, kThreads, stream,
                            shape, column_blocks, grad, x, means, inverses, partial));
    return launch(sum_chunks, divide_up(2 * shape.width, kThreads), kThreads, stream, shape.width, chunks, partial,
                  grad_parameters);
}

#define IMPRINT_INSTANTIATE(T)                                                                                                   \
    template cudaError_t layer_norm<T>(const NormShape&, const T*, const float*, const float*, T*, float*, float*,               \
                                       cudaStream_t);                                                                            \
    template cudaError_t layer_norm_backward<T>(const NormShape&, const T*, const T*, const float*, const float*, const float*,  \
                                                T*, float*, float*, cudaStream_t);
IMPRINT_INSTANTIATE(float)
IMPRINT_INSTANTIATE(Bfloat16)

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
