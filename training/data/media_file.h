// SPDX-License-Identifier: Apache-2.0
// A sample's media as a file, which is what the media door takes.
#pragma once

#include <filesystem>

#include "training/data/source.h"

namespace imprint::training {

/// The sample's own file, or its bytes in a file that only this user can read and that is removed with this object (in the
/// system's folder for temporary files; a machine that has memory to spare points TMPDIR to /dev/shm).
/// Throws Error(DiskFull, Permission, Io) naming the sample; a sample of features is our own mistake.
class MediaFile {
public:
    explicit MediaFile(const Sample& sample);
    ~MediaFile();
    MediaFile(const MediaFile&) = delete;
    MediaFile& operator=(const MediaFile&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
    bool temporary_ = false;
};

}  // namespace imprint::training
