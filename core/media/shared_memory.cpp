// SPDX-License-Identifier: Apache-2.0
// Checks the seals before the mapping: an unsealed file could shrink under the reader (SIGBUS) or change after a check.
#include "core/media/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace imprint::media
{

std::shared_ptr<const SharedMemory> SharedMemory::map(
    const Descriptor& file, size_t bytes, std::shared_ptr<std::atomic<int64_t>> counter)
{
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (!file || bytes == 0)
        return nullptr;
    const int seals = fcntl(file.get(), F_GET_SEALS);
    struct stat status;
    if (seals < 0 || (seals & kSeals) != kSeals || fstat(file.get(), &status) != 0 || status.st_size < 0
        || static_cast<size_t>(status.st_size) != bytes)
        return nullptr;
    // Private: older kernels refuse a shared mapping of a file sealed against writing.
    void* data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED)
        return nullptr;
    return std::shared_ptr<const SharedMemory>(new SharedMemory(data, bytes, std::move(counter)));
}

SharedMemory::SharedMemory(void* data, size_t bytes, std::shared_ptr<std::atomic<int64_t>> counter)
    : data_(data)
    , bytes_(bytes)
    , counter_(std::move(counter))
{
    *counter_ += static_cast<int64_t>(bytes_);
}

SharedMemory::~SharedMemory()
{
    munmap(data_, bytes_);
    *counter_ -= static_cast<int64_t>(bytes_);
}

} // namespace imprint::media
