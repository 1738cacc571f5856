// SPDX-License-Identifier: Apache-2.0
// The vector index of a library's active space, in step with the catalog. Private to this folder.
#pragma once

#include <filesystem>
#include <memory>

#include "index/catalog.h"
#include "index/coarse_builder.h"
#include "index/search.h"
#include "index/snapshot.h"
#include "index/vector_index.h"

namespace imprint::index {

/// Reads the vectors once (from a snapshot where one fits) and takes over what changed since. Throws what the catalog
/// throws; the index is then forgotten and read anew by the next call. One thread at a time.
class LiveIndex {
public:
    LiveIndex(const std::filesystem::path& folder, SearcherOptions options);

    /// Catches up with the catalog, and writes a snapshot where the one on disk has fallen far behind.
    void refresh();

    /// Runs `answer` in one read transaction in which vectors() is exactly what catalog() holds. Not at all when there are
    /// no vectors. It may run again where the catalog changed underneath.
    template <typename F>
    void with_current(F&& answer)
    {
        for (bool done = false; !done;) {
            refresh();
            if (!index_)
                return;
            try {
                done = catalog_->read([&] {
                    if (!same_space_and_history())
                        return false;  // changed since: once more
                    while (!step())
                        ;
                    answer();
                    return true;
                });
            } catch (...) {
                index_.reset();
                throw;
            }
        }
    }

    // Within with_current():
    const Catalog& catalog() const { return *catalog_; }
    const VectorIndex& vectors() const { return *index_; }
    const std::string& space() const { return is_of_.space; }

    /// See Searcher::settle().
    void settle(const CancelToken& cancel);
    Searcher::State state() const;

private:
    // These run within a read transaction.
    bool same_space_and_history();
    bool step();
    int64_t number(const char* sql) const;
    int64_t era(int64_t revision) const;
    Provenance catalog_now();
    void load_vectors(int64_t first, int64_t last);

    void load();
    void rebuild(const Provenance& now);
    void save();
    void tend_coarse();
    std::pair<int64_t, int64_t> edition() const;

    std::filesystem::path folder_;
    SearcherOptions options_;
    std::unique_ptr<Catalog> catalog_;
    std::unique_ptr<VectorIndex> index_;
    Provenance is_of_;  ///< what index_ holds; files and drops up to these revisions
    int64_t files_to_ = 0, drops_to_ = 0;
    int64_t space_id_ = 0;
    int64_t generation_ = 0;                  ///< of index_: how many there were before it
    int64_t changes_ = 0;                     ///< rows that the snapshot on disk does not have, about
    std::unique_ptr<CoarseBuilder> builder_;  ///< at work, or done and not yet taken over
    Searcher::State counters_;
};

}  // namespace imprint::index
