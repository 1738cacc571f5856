// SPDX-License-Identifier: Apache-2.0
// The memory of the CPU device: guarded allocations, and for every byte who touched it last.
#pragma once

#include <c10/core/Allocator.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace imprint::cuda_on_cpu {

/// Where in a launch an access happens. Blocks are numbered through all launches of a process.
struct Moment {
    uint32_t block = 0;
    uint16_t thread = 0;
    uint16_t barriers = 0;   ///< barriers that the block has passed
    uint16_t exchanges = 0;  ///< exchanges that the thread's warp has passed
};

/// Tells whether accesses to a byte are ordered.
class Byte {
public:
    /// Notes an access; false where nothing orders it after what came before. `launch`: the launch's first block.
    bool touch(const Moment& now, uint32_t launch, bool writes);
    /// What the last access that touch() refused collides with.
    std::string collision(const Moment& now, uint32_t launch) const;
    bool written_by(uint32_t block) const { return write_.block == block; }

private:
    Moment write_, read_;
};

/// Allocations between two pages that may not be touched, filled with NaN.
class GuardedMemory final : public c10::Allocator {
public:
    c10::DataPtr allocate(size_t bytes) override;
    void copy_data(void* to, const void* from, std::size_t count) const override;

    /// The byte's state and how many bytes follow it in its allocation, or null.
    Byte* find(uintptr_t address, size_t& left);

private:
    struct Block {
        size_t bytes;
        std::unique_ptr<std::vector<Byte>> touched;
    };
    static void release(void* start);
    std::mutex mutex_;
    std::map<uintptr_t, Block> blocks_;
    std::map<uintptr_t, Block>::iterator last_ = blocks_.end();
};

/// The one that a Device installs. It outlives every device, as tensors may.
GuardedMemory& guarded_memory();

}  // namespace imprint::cuda_on_cpu
