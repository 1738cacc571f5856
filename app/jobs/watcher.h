// SPDX-License-Identifier: Apache-2.0
// Waits for changes below folders: inotify where it works, and the clock where it does not.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <vector>

#include "core/base/cancel.h"
#include "core/media/worker_process.h"

namespace imprint::jobs {

struct WatchOptions {
    std::chrono::milliseconds quiet{2000};      ///< changes are told once nothing has changed for so long
    std::chrono::milliseconds longest{30'000};  ///< or so long after the first of them
    std::chrono::milliseconds rescan{300'000};  ///< between looks at what cannot be watched
    int most_watches = 0;                       ///< folders that are watched at most; 0: as the system allows
};

/// One thread. Starts watching when made, so that nothing is missed between a scan that follows and wait().
class Watcher {
public:
    /// Folders below `roots` (catalog_path() of each), without hidden ones and `skip`.
    Watcher(std::vector<std::filesystem::path> roots, std::filesystem::path skip, WatchOptions options = {});

    /// Blocks until something changed, then until that has settled. Returns the folders to be scanned again, each with all
    /// that is below it; all roots after more changes than the system could tell. Where the system's watches end (their
    /// number, network file systems, a root that is away) the roots concerned are returned every `rescan`.
    /// Empty: cancelled.
    std::vector<std::filesystem::path> wait(const CancelToken& cancel);

    /// Roots that only the clock watches, wholly or in part.
    const std::set<std::filesystem::path>& blind() const { return blind_; }

private:
    void watch(const std::filesystem::path& folder, const std::filesystem::path& root);
    void watch_roots();
    bool read_events();
    std::vector<std::filesystem::path> take_changes();

    const std::vector<std::filesystem::path> roots_;
    const std::filesystem::path skip_;
    const WatchOptions options_;
    media::Descriptor inotify_;
    struct Watched {
        std::filesystem::path folder, root;
    };
    std::map<int, Watched> watched_;
    std::set<std::filesystem::path> blind_, changed_;
    std::chrono::steady_clock::time_point last_rescan_;
};

}  // namespace imprint::jobs
