// SPDX-License-Identifier: Apache-2.0
// Dropping what is no longer there: one pass over the catalog's paths in order, beside the sorted paths that were seen.
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "index/library_impl.h"
#include "index/out_of_reach.h"
#include "index/paths.h"

namespace imprint::index {
namespace {

constexpr int kBatch = 4096;

}  // namespace

int64_t Library::drop_vanished(const std::filesystem::path& root, const std::vector<std::string>& seen)
{
    const PathRange below(root);
    struct stat facts {};
    if (::lstat(below.self.c_str(), &facts) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return 0;
        throw_errno(errno, below.self, "look at the folder");
    }

    std::vector<const std::string*> present;
    for (const std::string& path : seen)
        if (below.contains(path))
            present.push_back(&path);
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
