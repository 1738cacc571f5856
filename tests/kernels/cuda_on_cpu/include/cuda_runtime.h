// SPDX-License-Identifier: Apache-2.0
// Stands where CUDA's header of this name stands, so that the product's .cu files compile as C++ for a device that is this
// processor (device.h). Only what the kernels use is here: what is missing does not compile. There are no atomics.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define __global__
#define __device__
#define __host__
// One block runs at a time, so a static is shared by exactly its threads.
#define __shared__ static

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) { }
};

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidConfiguration = 9, cudaErrorLaunchFailure = 719 };
using cudaStream_t = void*;

struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes;
    cudaStream_t stream;
    void* attrs;
    unsigned numAttrs;
};

namespace imprint::cuda_on_cpu {

unsigned thread_index();
unsigned block_index();
unsigned block_size();
unsigned grid_size();

/// An index in the one dimension that this device has. Reading it touches no memory of the kernel's.
template <unsigned (*Get)()>
struct Index {
    struct {
        operator unsigned() const { return Get(); }
    } x;
};

/// Waits for the block. `site` tells barriers apart: all threads must wait at the same one.
void barrier(int site);
/// Waits for the lanes of `mask`, then gives the value that lane `source` brought.
uint64_t exchange(unsigned mask, uint64_t value, unsigned source);
unsigned ballot(unsigned mask, bool value);
cudaError_t run_grid(const cudaLaunchConfig_t& config, void (*thread)(const void*), const void* closure);

}  // namespace imprint::cuda_on_cpu

#define __syncthreads() ::imprint::cuda_on_cpu::barrier(__LINE__)

constexpr imprint::cuda_on_cpu::Index<imprint::cuda_on_cpu::thread_index> threadIdx{};
constexpr imprint::cuda_on_cpu::Index<imprint::cuda_on_cpu::block_index> blockIdx{};
constexpr imprint::cuda_on_cpu::Index<imprint::cuda_on_cpu::block_size> blockDim{};
constexpr imprint::cuda_on_cpu::Index<imprint::cuda_on_cpu::grid_size> gridDim{};

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream);
const char* cudaGetErrorString(cudaError_t error);

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...), Arguments&&... arguments)
{
    const auto thread = [&] { kernel(static_cast<Parameters>(arguments)...); };
    return imprint::cuda_on_cpu::run_grid(
        *config, [](const void* closure) { (*static_cast<const decltype(thread)*>(closure))(); }, &thread);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes)
{
    static_assert(sizeof(T) <= sizeof(uint64_t));
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(value));
    bits = imprint::cuda_on_cpu::exchange(mask, bits, (threadIdx.x % 32) ^ static_cast<unsigned>(lanes));
    std::memcpy(&value, &bits, sizeof(value));
    return value;
}
inline unsigned __ballot_sync(unsigned mask, int value) { return imprint::cuda_on_cpu::ballot(mask, value != 0); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { imprint::cuda_on_cpu::ballot(mask, false); }
inline int __popc(unsigned value) { return __builtin_popcount(value); }

using std::memcpy;
