// SPDX-License-Identifier: Apache-2.0
// Dropping what is no longer there: one pass over the catalog's paths in order, beside the sorted paths that were seen.
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <map>

#include "index/library_impl.h"
#include "index/paths.h"

namespace imprint::index {
namespace {

constexpr int kBatch = 4096;

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

/// Knows files that cannot be called gone: nothing may look into their folder, or they are below a mount point that lost
/// its disk (the nearest folder that still exists is empty and on another device than the file was on).
class OutOfReach {
public:
    bool holds(const std::string& path, uint64_t device)
    {
        struct stat itself {};
        if (::lstat(path.c_str(), &itself) != 0 && errno != ENOENT && errno != ENOTDIR)
            return true;
        std::string folder = path.substr(0, path.rfind('/'));
        const auto [known, fresh] = nearest_.try_emplace(folder);
        if (fresh) {
            struct stat facts {};
            while (!folder.empty() && ::lstat(folder.c_str(), &facts) != 0)
                folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/'));
            known->second = {!folder.empty() && empty_folder(folder), folder.empty() ? 0 : uint64_t(facts.st_dev)};
        }
        return known->second.empty && known->second.device != device;
    }

private:
    struct Nearest {
        bool empty = false;
        uint64_t device = 0;
    };
    std::map<std::string, Nearest> nearest_;
};

}  // namespace

int64_t Library::drop_vanished(const std::filesystem::path& root, const std::vector<std::filesystem::path>& seen)
{
    const PathRange below(root);
    struct stat facts {};
    if (::lstat(below.self.c_str(), &facts) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return 0;
        throw_errno(errno, below.self, "look at the folder");
    }

    std::vector<const std::string*> present;
    for (const std::filesystem::path& path : seen)
        if (below.contains(path.native()))
            present.push_back(&path.native());
    const auto less = [](const std::string* a, const std::string* b) { return *a < *b; };
    if (!std::is_sorted(present.begin(), present.end(), less))
        std::sort(present.begin(), present.end(), less);

    OutOfReach out_of_reach;
    Catalog& catalog = impl_->catalog;
    int64_t dropped = 0;
    size_t next = 0;
    std::string from = below.self;  // every path of the catalog before this one has been looked at
    for (bool more = true; more;) {
        std::vector<int64_t> gone;
        int read = 0;
        catalog.guarded([&] {
            auto select = catalog.use("SELECT id, path, device FROM files WHERE path >= ?1 AND path < ?2"
                                      " ORDER BY path LIMIT ?3");
            bind_path(*select, 1, from);
            bind_path(*select, 2, below.last);
            select->bind(3, kBatch);
            for (; select->executeStep(); ++read) {
                const std::string path = path_column(*select, 1).native();
                from = path + '\0';  // the very next path there can be
                if (!below.contains(path))
                    continue;  // "holiday.jpg" sorts between "holiday" and what is in it
                while (next < present.size() && *present[next] < path)
                    ++next;
                if (next < present.size() && *present[next] == path)
                    continue;
                if (!out_of_reach.holds(path, std::bit_cast<uint64_t>(int64_t{select->getColumn(2).getInt64()})))
                    gone.push_back(select->getColumn(0).getInt64());
            }
        });
        more = read == kBatch;
        if (gone.empty())
            continue;
        impl_->write_revision([&](int64_t) {
            for (const int64_t id : gone) {
                auto erase = catalog.use("DELETE FROM files WHERE id = ?");
                erase->bind(1, id);
                erase->exec();
            }
        });
        dropped += static_cast<int64_t>(gone.size());
    }
    return dropped;
}

}  // namespace imprint::index
