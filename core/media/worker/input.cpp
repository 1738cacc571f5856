// SPDX-License-Identifier: Apache-2.0
// Positioned reads.
#include "core/media/worker/input.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"

namespace imprint::media
{

Input::Input(int descriptor)
    : descriptor_(descriptor)
{
    // Not fstat: the C library turns it into a call that takes names too, which the jail refuses.
    size_ = lseek(descriptor, 0, SEEK_END);
    if (size_ < 0)
        throw_errno(errno, "", "measure the file");
}

int64_t Input::read_at(void* buffer, int64_t count, int64_t offset) const
{
    ssize_t got;
    do
        got = pread(descriptor_, buffer, static_cast<size_t>(count), offset);
    while (got < 0 && errno == EINTR);
    if (got < 0 && failure_ == 0)
        failure_ = errno;
    return got;
}

std::string Input::head(size_t count) const
{
    std::string bytes(count, '\0');
    const int64_t got = read_at(bytes.data(), static_cast<int64_t>(count), 0);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
}

} // namespace imprint::media
