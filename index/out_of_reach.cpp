// SPDX-License-Identifier: Apache-2.0
// lstat and readdir.
#include "index/out_of_reach.h"

#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>

namespace imprint::index {
namespace {

bool empty_folder(const std::string& path)
{
    DIR* folder = ::opendir(path.c_str());
    if (!folder)
        return false;
    bool empty = true;
    while (const dirent* entry = ::readdir(folder))
        if (const std::string name = entry->d_name; name != "." && name != "..") {
            empty = false;
            break;
        }
    ::closedir(folder);
    return empty;
}

}  // namespace

bool OutOfReach::holds(const std::string& path, uint64_t device)
{
    struct stat itself { };
    if (::lstat(path.c_str(), &itself) != 0 && errno != ENOENT && errno != ENOTDIR)
        return true;
    std::string folder = path.substr(0, path.rfind('/'));
    const auto [known, fresh] = nearest_.try_emplace(folder);
    if (fresh) {
        struct stat facts { };
        while (!folder.empty() && ::lstat(folder.c_str(), &facts) != 0)
            folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/'));
        known->second = {!folder.empty() && empty_folder(folder), folder.empty() ? 0 : uint64_t(facts.st_dev)};
    }
    return known->second.empty && known->second.device != device;
}

}  // namespace imprint::index
