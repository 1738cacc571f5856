// SPDX-License-Identifier: Apache-2.0
// Which disk a path lies on, by what the disk calls itself: it keeps that name wherever it is plugged in.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "index/library.h"

namespace imprint::jobs {

/// What is mounted at present, read once.
class Volumes {
public:
    explicit Volumes(const std::filesystem::path& mountinfo = "/proc/self/mountinfo",
                     const std::filesystem::path& by_uuid = "/dev/disk/by-uuid");

    /// The volume of an existing, absolute path; nothing for a file system without a UUID (network, memory, overlays).
    std::optional<index::VolumePlace> place_of(const std::filesystem::path& path) const;

    /// Where that place is to be found now: an existing path, or nothing while the disk is away.
    std::optional<std::filesystem::path> find(const index::VolumePlace& place) const;

private:
    struct Mount {
        std::filesystem::path point, root;  ///< where it is mounted, and which folder of the file system that shows
        std::string uuid;
    };
    std::vector<Mount> mounts_;
};

}  // namespace imprint::jobs
