// SPDX-License-Identifier: Apache-2.0
// The folder scan: which files there are below the given paths, and what the file system alone says is wrong.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancel.h"
#include "index/library.h"

namespace imprint::jobs {

/// A regular file that may be media. There is one for every file of a run, and a std::filesystem::path keeps each of its
/// components by itself, in some 500 bytes: so this has the bytes of the path alone.
struct Candidate {
    Candidate() = default;
    Candidate(const index::FileFacts& facts, bool is_certain)
        : path(facts.path.native()), size(facts.size), mtime_ns(facts.mtime_ns), inode(facts.inode), device(facts.device),
          certain(is_certain)
    {
    }
    index::FileFacts facts() const { return {path, size, mtime_ns, inode, device}; }

    std::string path;  ///< of bytes, not text
    int64_t size = 0, mtime_ns = 0;
    uint64_t inode = 0, device = 0;
    bool certain = false;  ///< named by the user or by its extension: a failure to read it counts
};

/// Something the file system itself refuses: a dangling link, a FIFO, a file or folder that may not be read.
struct Refusal {
    index::FileFacts facts;
    index::Failure failure;
};

struct Scan {
    std::vector<Candidate> files;  ///< each once, whatever paths lead to it
    std::vector<Refusal> refused;
    std::vector<std::filesystem::path> unreadable;  ///< folders whose content could not be listed
    int64_t links = 0;                              ///< live links below the paths, which are not followed
};

/// True for extensions that say "media", in any case: such files are expected to be readable.
bool has_media_extension(const std::filesystem::path& file);

/// A path as it enters the catalog: absolute, links resolved where it exists, else only made absolute.
std::filesystem::path catalog_path(const std::filesystem::path& path);

/// True when `path` is `folder` or lies below it; both as catalog_path() gives them.
bool lies_below(std::string_view path, std::string_view folder);
inline bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder)
{
    return lies_below(path.native(), folder.native());
}

/// Walks the paths (catalog_path() of each) in name order. Links below them are not followed; hidden files and folders
/// are passed over unless named; `skip` (the library itself) is never entered. Never throws for what the file system
/// says, only Error(Cancelled). `found` is told the number of candidates now and then.
Scan scan(const std::vector<std::filesystem::path>& paths, const std::filesystem::path& skip,
          const std::function<void(int64_t)>& found, const CancelToken& cancel);

}  // namespace imprint::jobs
