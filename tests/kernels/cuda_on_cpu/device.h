// SPDX-License-Identifier: Apache-2.0
// A CUDA device that is this processor, for tests: the product's .cu files run on it block by block, every thread a fiber.
//
// It is stricter than a GPU. Blocks and the threads between two barriers run in an order shuffled by a seed. Every access
// to memory that a kernel makes is seen (the sources are compiled with the compiler's hooks for races, alignment and array
// bounds, which this device answers), and a launch fails, with a text that says what and where, when a kernel
//   - touches memory outside of every tensor allocated while the device was there,
//   - touches the same byte from two threads with no barrier between, one of them writing; across blocks there is none,
//   - reads shared memory that its block has not written, indexes a shared array past its end, reads 16 bytes askew,
//   - lets threads wait at different barriers, or at one that others have left without.
// Memory that nobody has written reads as NaN. Threads of one warp that read the same byte count as one reader that only
// a barrier of the whole block orders. Not covered: atomics, tensor cores, asynchronous copies, waiting between blocks.
#pragma once

#include <cstdint>
#include <string>

namespace imprint::cuda_on_cpu {

/// While it lives, tensors are allocated in guarded memory. One at a time, on one thread.
class Device {
public:
    /// `seed` decides the order of blocks and threads.
    explicit Device(uint64_t seed);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    /// What made the last launch fail; empty where it did not.
    const std::string& fault() const;
    /// Launches and threads that have run so far.
    int64_t launches() const;
    int64_t threads() const;
};

}  // namespace imprint::cuda_on_cpu
