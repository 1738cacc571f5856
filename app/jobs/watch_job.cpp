// SPDX-License-Identifier: Apache-2.0
// Wait, index, and again.
#include <set>
#include <thread>

#include "app/jobs/jobs.h"
#include "app/jobs/scan.h"

namespace imprint::jobs {
namespace fs = std::filesystem;
namespace {

/// Indexes once the library can be had.
IndexReport index_when_free(Engine& engine, const std::vector<fs::path>& paths,
                            const std::function<void(const IndexProgress&)>& progress, const CancelToken& cancel)
{
    for (;;) {
        try {
            return index_paths(engine, paths, progress, cancel);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Busy || cancel.cancelled())
                throw;
            for (int tick = 0; tick < 20 && !cancel.cancelled(); ++tick)
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }
}

bool found_something(const IndexReport& report)
{
    return report.indexed > 0 || report.dropped > 0 || report.moved > 0 || !report.failed.empty();
}

}  // namespace

void watch_paths(Engine& engine, const std::vector<fs::path>& paths, const std::function<void(const IndexReport&)>& told,
                 const std::function<void(const IndexProgress&)>& progress, const CancelToken& cancel,
                 const WatchOptions& options)
{
    std::set<fs::path> roots;
    for (const fs::path& path : paths)
        roots.insert(catalog_path(path));
    try {
        for (const fs::path& root : index::Library(engine.library_folder(), index::OpenMode::ReadOnly).roots())
            roots.insert(root);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::NotFound)  // the first indexing makes it
            throw;
    }
    Watcher watcher({roots.begin(), roots.end()}, engine.library_folder(), options);
    told(index_paths(engine, paths, progress, cancel));
    while (!cancel.cancelled()) {
        std::vector<fs::path> changed = watcher.wait(cancel);
        std::error_code away;  // a root that is away is no news
        std::erase_if(changed, [&](const fs::path& path) { return !fs::exists(path, away); });
        if (changed.empty())
            continue;
        const IndexReport report = index_when_free(engine, changed, progress, cancel);
        if (found_something(report))
            told(report);
    }
}

}  // namespace imprint::jobs
