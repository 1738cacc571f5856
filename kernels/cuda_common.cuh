// SPDX-License-Identifier: Apache-2.0
// What the CUDA sources share. Only the CUDA runtime's own interface is used, so that the tests can compile the same
// sources as C++ for their CPU device. Everything has internal linkage: each source is a unit of its own.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_namespace.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

__host__ __device__ inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(Bfloat16 value)
{
    const unsigned bits = static_cast<unsigned>(value.bits) << 16;
    float result;
    memcpy(&result, &bits, sizeof(result));
    return result;
}

template <class T>
__device__ T from_float(float value);
template <>
__device__ inline float from_float<float>(float value)
{
    return value;
}
// Round to nearest, ties to even; a NaN stays one.
template <>
__device__ inline Bfloat16 from_float<Bfloat16>(float value)
{
    unsigned bits;
    memcpy(&bits, &value, sizeof(bits));
    if (value != value)
        return {0x7fc0};
    return {static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

/// Neighbouring values that one thread reads and writes at once: 16 bytes where Vector is set, else one value.
template <class T, bool Vector>
struct alignas(Vector ? 16 : sizeof(T)) Pack {
    static constexpr int kSize = Vector ? 16 / static_cast<int>(sizeof(T)) : 1;
    T values[kSize];
};

template <bool Vector, class T>
__device__ inline Pack<T, Vector> load(const T* from)
{
    return *reinterpret_cast<const Pack<T, Vector>*>(from);
}

template <class T, bool Vector>
__device__ inline void store(T* to, const Pack<T, Vector>& pack)
{
    *reinterpret_cast<Pack<T, Vector>*>(to) = pack;
}

/// Whether rows of `width` values starting at the pointers can be read 16 bytes at a time.
template <class T, class... Pointers>
bool fits_packs(int64_t width, const Pointers*... pointers)
{
    return width % (16 / static_cast<int64_t>(sizeof(T))) == 0 && ((reinterpret_cast<uintptr_t>(pointers) % 16 == 0) && ...);
}

/// The sum over a warp, in every lane; the same tree whatever the schedule.
__device__ inline float warp_sum(float value)
{
    for (int step = kWarp / 2; step > 0; step /= 2)
        value += __shfl_xor_sync(kAllLanes, value, step);
    return value;
}

/// A sum of exponentials that never overflows: Σ exp(xᵢ) = sum · exp(high).
struct LogSum {
    float high, sum;

    __device__ void add(float x)
    {
        if (x > high) {
            sum = sum * expf(high - x) + 1;
            high = x;
        } else if (x > -INFINITY) {
            sum += expf(x - high);
        }
    }
    __device__ void add(const LogSum& other)
    {
        if (other.sum == 0)
            return;
        const float higher = fmaxf(high, other.high);
        sum = (sum == 0 ? 0 : sum * expf(high - higher)) + other.sum * expf(other.high - higher);
        high = higher;
    }
    __device__ float value() const { return high + logf(sum); }
};

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), int64_t blocks, int threads, cudaStream_t stream, Arguments... arguments)
{
    if (blocks == 0)
        return cudaSuccess;
    if (blocks > 0x7fffffff)
        return cudaErrorInvalidConfiguration;
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(static_cast<unsigned>(blocks));
    config.blockDim = dim3(static_cast<unsigned>(threads));
    config.stream = stream;
    return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

}  // namespace
}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE

#define IMPRINT_CUDA_TRY(call)                                                                                                   \
    do {                                                                                                                         \
        const cudaError_t imprint_error_ = (call);                                                                               \
        if (imprint_error_ != cudaSuccess)                                                                                       \
            return imprint_error_;                                                                                               \
    } while (false)
