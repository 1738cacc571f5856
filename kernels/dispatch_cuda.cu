// SPDX-License-Identifier: Apache-2.0
// CUDA kernels of dispatch and combine: a thread moves 16 bytes of a row; a warp reduces a row to a gate's gradient.
#include "kernels/dispatch_cuda.h"

#include "kernels/cuda_common.cuh"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

__device__ inline bool holds_token(int64_t token, int64_t tokens) { return token >= 0 && token < tokens; }

template <class T, bool Vector>
__global__ void gather(DispatchShape shape, int64_t packs, const T* x, const int64_t* slots, const float* gates, T* rows)
{
    using Values = Pack<T, Vector>;
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, per_row = shape.width / Values::kSize;
    if (i >= packs)
        return;
    const int64_t row = i / per_row, column = i % per_row * Values::kSize;
    const int64_t slot = row % shape.capacity, group = row / shape.capacity % shape.groups;
    const int64_t place = (group * shape.experts + row / shape.capacity / shape.groups) * shape.capacity + slot;
    const int64_t token = slots[place];
    Values values{};
    if (holds_token(token, shape.tokens)) {
        values = load<Vector>(x + (group * shape.tokens + token) * shape.width + column);
        if (gates)
            for (int j = 0; j < Values::kSize; ++j)
                values.values[j] = from_float<T>(gates[place] * to_float(values.values[j]));
    }
    store(rows + row * shape.width + column, values);
}

/// Every (token, expert) has one slot at most, so no two threads write one place.
__global__ void invert(DispatchShape shape, int64_t all, const int64_t* slots, int32_t* inverse)
{
    const int64_t place = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (place >= all)
        return;
    const int64_t token = slots[place], expert = place / shape.capacity % shape.experts;
    const int64_t group = place / shape.capacity / shape.experts;
    if (holds_token(token, shape.tokens))
        inverse[(group * shape.tokens + token) * shape.experts + expert] = static_cast<int32_t>(place % shape.capacity);
}

template <class T, bool Vector>
__global__ void combine(DispatchShape shape, int64_t packs, const T* rows, const float* gates, const int32_t* inverse, T* result)
{
    using Values = Pack<T, Vector>;
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, per_row = shape.width / Values::kSize;
    if (i >= packs)
        return;
    const int64_t item = i / per_row, group = item / shape.tokens, column = i % per_row * Values::kSize;
    float sums[Values::kSize] = {};
    for (int64_t expert = 0; expert < shape.experts; ++expert) {
        const int32_t slot = inverse[item * shape.experts + expert];
        if (slot < 0)
            continue;
        const float gate = gates ? gates[(group * shape.experts + expert) * shape.capacity + slot] : 1.0f;
        const Values values =
            load<Vector>(rows + ((expert * shape.groups + group) * shape.capacity + slot) * shape.width + column);
        for (int j = 0; j < Values::kSize; ++j)
            sums[j] += gate * to_float(values.values[j]);
    }
    Values values;
    for (int j = 0; j < Values::kSize; ++j)
        values.values[j] = from_float<T>(sums[j]);
    store(result + item * shape.width + column, values);
}

template <class T, bool Vector>
__global__ void gate_dots(DispatchShape shape, int64_t all, const T* grad, const T* rows, const int64_t* slots, float* gradient)
{
    using Values = Pack<T, Vector>;
    const int64_t place = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp;
    if (place >= all)
        return;
    const int64_t slot = place % shape.capacity, expert = place / shape.capacity % shape.experts;
    const int64_t group = place / shape.capacity / shape.experts, token = slots[place];
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    float sum = 0;
    if (holds_token(token, shape.tokens)) {
        const T* a = grad + (group * shape.tokens + token) * shape.width;
        const T* b = rows + ((expert * shape.groups + group) * shape.capacity + slot) * shape.width;
        for (int64_t i = lane * Values::kSize; i < shape.width; i += kWarp * Values::kSize) {
            const Values x = load<Vector>(a + i), y = load<Vector>(b + i);
            for (int j = 0; j < Values::kSize; ++j)
                sum += to_float(x.values[j]) * to_float(y.values[j]);
        }
    }
    sum = warp_sum(sum);
    if (lane == 0)
        gradient[place] = sum;
}

}  // namespace

template <class T>
cudaError_t gather_rows(const DispatchShape& shape, const T* x, const int64_t* slots, const float* gates, T* rows,
                        cudaStream_t stream)
{
    const bool packed = fits_packs<T>(shape.width, x, rows);
    const int64_t per_row = shape.width / (packed ? Pack<T, true>::kSize : 1);
    const int64_t packs = shape.experts * shape.groups * shape.capacity * per_row;
    return launch(packed ? gather<T, true> : gather<T, false>, divide_up(packs, kThreads), kThreads, stream, shape, packs, x,
                  slots, gates, rows);
}

template <class T>
cudaError_t combine_rows(const DispatchShape& shape, const T* rows, const int64_t* slots, const float* gates, int32_t* inverse,
                         T* result, cudaStream_t stream)
{
    const int64_t items = shape.groups * shape.tokens, all = shape.groups * shape.experts * shape.capacity;
    if (items == 0)
        return cudaSuccess;
    IMPRINT_CUDA_TRY(cudaMemsetAsync(inverse, 0xff, static_cast<size_t>(items * shape.experts) * sizeof(int32_t), stream));
    IMPRINT_CUDA_TRY(launch(invert, divide_up(all, kThreads), kThreads, stream, shape, all, slots, inverse));
    const bool packed = fits_packs<T>(shape.width, rows, result);
    const int64_t packs = items * (shape.width / (packed ? Pack<T, true>::kSize : 1));
    return launch(packed ? combine<T, true> : combine<T, false>, divide_up(packs, kThreads), kThreads, stream, shape, packs, rows,
                  gates, inverse, result);
}

template <class T>
cudaError_t gate_gradients(const DispatchShape& shape, const T* grad, const T* rows, const int64_t* slots, float* gradient,
                           cudaStream_t stream)
{
    const int64_t all = shape.groups * shape.experts * shape.capacity;
    const bool packed = fits_packs<T>(shape.width, grad, rows);
    return launch(packed ? gate_dots<T, true> : gate_dots<T, false>, divide_up(all, kThreads / kWarp), kThreads, stream, shape,
                  all, grad, rows, slots, gradient);
}

#define IMPRINT_INSTANTIATE(T)                                                                                                   \
    template cudaError_t gather_rows<T>(const DispatchShape&, const T*, const int64_t*, const float*, T*, cudaStream_t);         \
    template cudaError_t combine_rows<T>(const DispatchShape&, const T*, const int64_t*, const float*, int32_t*, T*,             \
                                         cudaStream_t);                                                                          \
    template cudaError_t gate_gradients<T>(const DispatchShape&, const T*, const T*, const int64_t*, float*, cudaStream_t);
IMPRINT_INSTANTIATE(float)
IMPRINT_INSTANTIATE(Bfloat16)

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
