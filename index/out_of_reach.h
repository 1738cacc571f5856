// SPDX-License-Identifier: Apache-2.0
// Gone, or only out of sight? Private to this folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace imprint::index {

/// Knows files that cannot be called gone: nothing may look into their folder, or they are below a mount point that lost
/// its disk (the nearest folder that still exists is empty and on another device than the file was on).
class OutOfReach {
public:
    bool holds(const std::string& path, uint64_t device);

private:
    struct Nearest {
        bool empty = false;
        uint64_t device = 0;
    };
    std::map<std::string, Nearest> nearest_;  ///< by folder
};

}  // namespace imprint::index
