// SPDX-License-Identifier: Apache-2.0
// What "below a folder" means on paths that are bytes: the folder itself, and all that continues it with a slash.
#pragma once

#include <filesystem>
#include <string>

namespace imprint::index {

/// The paths at or below `folder`: `self`, and all bytes in [first, last).
struct PathRange {
    std::string self, first, last;

    explicit PathRange(const std::filesystem::path& folder) : self(folder.native())
    {
        while (self.size() > 1 && self.back() == '/')
            self.pop_back();
        first = self == "/" ? self : self + '/';
        last = first;
        ++last.back();  // '0' follows '/'
    }
    bool contains(const std::string& path) const { return path == self || (path >= first && path < last); }
};

}  // namespace imprint::index
