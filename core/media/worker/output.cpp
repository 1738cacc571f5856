// SPDX-License-Identifier: Apache-2.0
// memfd, ftruncate, mmap; then seals.
#include "core/media/worker/output.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace imprint::media
{

Output::Output(size_t bytes)
    : bytes_(bytes)
{
    descriptor_ = memfd_create("imprint-media", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor_ >= 0 && ftruncate(descriptor_, static_cast<off_t>(bytes)) == 0) {
        data_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
        if (data_ != MAP_FAILED)
            return;
    }
    const int reason = errno;
    if (descriptor_ >= 0)
        close(descriptor_);
    throw Error(ErrorKind::LimitExceeded, "",
        "no room for " + std::to_string(bytes >> 10) + " KiB of decoded data (" + std::strerror(reason) + ")");
}

Output::Output(Output&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1))
    , data_(std::exchange(other.data_, nullptr))
    , bytes_(other.bytes_)
{
}

Output::~Output()
{
    if (data_)
        munmap(data_, bytes_);
    if (descriptor_ >= 0)
        close(descriptor_);
}

void Output::resize(size_t bytes)
{
    // What is mapped beyond the file's end must not be touched, so the file grows first and shrinks last.
    const auto cut = [&] { return ftruncate(descriptor_, static_cast<off_t>(bytes)) == 0; };
    const bool grows = bytes > bytes_;
    void* moved = MAP_FAILED;
    if (!grows || cut())
        moved = mremap(data_, bytes_, bytes, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        throw Error(ErrorKind::LimitExceeded, "",
            "no room for " + std::to_string(bytes >> 10) + " KiB of decoded data (" + std::strerror(errno) + ")");
    data_ = moved;
    bytes_ = bytes;
    if (!grows && !cut())
        throw_errno(errno, "", "trim the decoded data");
}

int Output::seal()
{
    // The kernel refuses the write seal while a writable mapping exists.
    munmap(std::exchange(data_, nullptr), bytes_);
    if (fcntl(descriptor_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
        throw_errno(errno, "", "seal the decoded data");
    return std::exchange(descriptor_, -1);
}

} // namespace imprint::media
