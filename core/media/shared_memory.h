// SPDX-License-Identifier: Apache-2.0
// A sealed memfd that came from a worker, mapped read-only.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/media/worker_process.h"

namespace imprint::media
{

class SharedMemory
{
public:
    /// Maps `file` if it is a memfd sealed against writing and resizing and holds exactly `bytes`; null otherwise.
    /// While it lives, `counter` is `bytes` higher.
    static std::shared_ptr<const SharedMemory> map(
        const Descriptor& file, size_t bytes, std::shared_ptr<std::atomic<int64_t>> counter);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    const void* data() const { return data_; }

private:
    SharedMemory(void* data, size_t bytes, std::shared_ptr<std::atomic<int64_t>> counter);

    void* data_;
    size_t bytes_;
    std::shared_ptr<std::atomic<int64_t>> counter_;
};

} // namespace imprint::media
