// SPDX-License-Identifier: Apache-2.0
// Whether a library is whole, and making it so.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "index/library.h"

namespace imprint::index {

struct Verdict {
    std::vector<std::string> problems;  ///< one line each; empty is good
    Counts counts;
    int64_t bytes = 0;      ///< of the catalog
    int64_t snapshots = 0;  ///< vector indexes on disk that hold just what the catalog holds, or held it some changes ago
};

/// Reads everything once: each page, reference, count, checksum and norm of the catalog, and each vector index on disk
/// against the catalog it claims to be of. Writes nothing and waits for no writer. Throws Error: NotFound without a library,
/// Malformed where the catalog cannot even be opened, Cancelled.
Verdict verify(const std::filesystem::path& folder, const CancelToken& cancel = {});

struct Repair {
    std::vector<std::string> done;  ///< what was wrong and what became of it, one line each; empty: nothing was wrong
    std::filesystem::path kept;     ///< the damaged catalog, where a new one was made of what can be read
    int64_t to_index = 0;           ///< files that the next indexing must read again
};

/// Makes verify() content, or throws. What cannot be believed is forgotten, so that the next indexing reads those files
/// again; a catalog with damaged pages is copied row by row as far as it can be read, and the damaged one is kept beside
/// it. Nothing is invented: what stays is what was stored. Throws Error: Busy while another program writes, NotFound,
/// Malformed where nothing can be read, Unsupported for a newer Imprint's library, DiskFull, Cancelled.
Repair repair(const std::filesystem::path& folder, const CancelToken& cancel = {});

}  // namespace imprint::index
