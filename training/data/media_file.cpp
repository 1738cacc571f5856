// SPDX-License-Identifier: Apache-2.0
// Bytes to a temporary file.
#include "training/data/media_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"

namespace imprint::training {

MediaFile::MediaFile(const Sample& sample)
{
    if (const auto* path = std::get_if<std::filesystem::path>(&sample.media)) {
        path_ = *path;
        return;
    }
    const auto* bytes = std::get_if<MediaBytes>(&sample.media);
    IMPRINT_ASSERT(bytes);
    std::string name = (std::filesystem::temp_directory_path() / "imprint-sample-XXXXXX").string();
    const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0)
        throw_errno(errno, sample.name, "write its media to " + name);
    int failure = 0;
    for (size_t done = 0; done < bytes->data.size() && !failure;) {
        const ssize_t written = ::write(descriptor, bytes->data.data() + done, bytes->data.size() - done);
        if (written < 0 && errno != EINTR)
            failure = errno;
        done += written > 0 ? static_cast<size_t>(written) : 0;
    }
    ::close(descriptor);
    if (failure) {
        ::unlink(name.c_str());
        throw_errno(failure, sample.name, "write its media to " + name);
    }
    path_ = name;
    temporary_ = true;
}

MediaFile::~MediaFile()
{
    if (temporary_)
        ::unlink(path_.c_str());
}

}  // namespace imprint::training
