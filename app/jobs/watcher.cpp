// SPDX-License-Identifier: Apache-2.0
// inotify(7).
#include "app/jobs/watcher.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "app/jobs/scan.h"

namespace imprint::jobs {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF
    | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;

/// What others write to a file system on another machine, no one here is told of.
bool changes_from_afar(const fs::path& folder)
{
    struct statfs system { };
    if (::statfs(folder.c_str(), &system) != 0)
        return true;
    constexpr unsigned long kFarAway[] = {
        0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x65735546, 0x01021997,
        0x5346414f, 0x73757245, 0x00c36400, 0x0bd00bd0, 0x786f4256, 0xbacbacbc};  // NFS, SMB, FUSE, 9P, AFS and their kin
    return std::find(std::begin(kFarAway), std::end(kFarAway), static_cast<unsigned long>(system.f_type) & 0xfffffffful)
        != std::end(kFarAway);
}

}  // namespace

Watcher::Watcher(std::vector<fs::path> roots, fs::path skip, WatchOptions options)
    : roots_(std::move(roots)), skip_(std::move(skip)), options_(options), inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      last_rescan_(Clock::now())
{
    watch_roots();
}

void Watcher::watch_roots()
{
    blind_.clear();
    for (const fs::path& root : roots_) {
        std::error_code away;
        if (!inotify_ || !fs::exists(root, away) || changes_from_afar(root))
            blind_.insert(root);
        else
            watch(fs::is_directory(root, away) ? root : root.parent_path(), root);
    }
}

void Watcher::watch(const fs::path& folder, const fs::path& root)
{
    if (folder == skip_)
        return;
    const bool full = options_.most_watches > 0 && static_cast<int>(watched_.size()) >= options_.most_watches;
    const int watch = full ? -1 : ::inotify_add_watch(inotify_.get(), folder.c_str(), kChanges);
    if (watch < 0) {
        if (full || (errno != ENOENT && errno != ENOTDIR && errno != EACCES))
            blind_.insert(root);
        return;
    }
    watched_[watch] = {folder, root};
    if (!is_below(folder, root))
        return;  // a file that was named: its folder is watched for its sake alone
    std::error_code unreadable;
    for (fs::directory_iterator at(folder, unreadable), end; !unreadable && at != end; at.increment(unreadable))
        if (std::error_code gone;
            at->is_directory(gone) && !at->is_symlink(gone) && !at->path().filename().native().starts_with('.'))
            this->watch(at->path(), root);
}

/// True when something changed.
bool Watcher::read_events()
{
    alignas(inotify_event) char buffer[1 << 16];
    bool changed = false;
    for (ssize_t size; (size = ::read(inotify_.get(), buffer, sizeof buffer)) > 0;) {
        for (ssize_t at = 0; at < size;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
            at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
            if (event->mask & IN_Q_OVERFLOW) {
                changed_.insert(roots_.begin(), roots_.end());
                changed = true;
                continue;
            }
            const auto found = watched_.find(event->wd);
            if (found == watched_.end())
                continue;
            const Watched watched = found->second;
            const std::string name = event->len > 0 ? event->name : "";
            const bool of_named_file = !is_below(watched.folder, watched.root);
            if (event->mask & IN_IGNORED)
                watched_.erase(found);
            if (name.starts_with('.') || (of_named_file && watched.folder / name != watched.root))
                continue;
            if ((event->mask & IN_ISDIR) && (event->mask & (IN_CREATE | IN_MOVED_TO)))
                watch(watched.folder / name, watched.root);
            changed_.insert(of_named_file ? watched.root : watched.folder);
            changed = true;
        }
    }
    return changed;
}

std::vector<fs::path> Watcher::take_changes()
{
    // A folder that went is missed by the one it was in; a scan of a folder sees all below it.
    std::set<fs::path> there;
    for (fs::path folder : std::exchange(changed_, {})) {
        const auto root = std::find_if(roots_.begin(), roots_.end(), [&](const fs::path& r) { return is_below(folder, r); });
        std::error_code gone;
        while (root != roots_.end() && folder != *root && !fs::exists(folder, gone))
            folder = folder.parent_path();
        there.insert(folder);
    }
    std::vector<fs::path> topmost;
    for (const fs::path& folder : there)
        if (topmost.empty() || !is_below(folder, topmost.back()))
            topmost.push_back(folder);
    return topmost;
}

std::vector<fs::path> Watcher::wait(const CancelToken& cancel)
{
    constexpr int kTick = 100;  // milliseconds; the token cannot wake a poll
    Clock::time_point first, last;
    while (!cancel.cancelled()) {
        pollfd waiting = {inotify_.get(), POLLIN, 0};
        static_cast<void>(::poll(&waiting, 1, kTick));
        const auto now = Clock::now();
        const bool waited_for = !changed_.empty();
        if (read_events()) {
            last = now;
            first = waited_for ? first : now;
        }
        if (now - last_rescan_ >= options_.rescan) {
            last_rescan_ = now;
            changed_.insert(blind_.begin(), blind_.end());
            watch_roots();  // a disk may be back, or room for more watches
        }
        if (!changed_.empty() && (now - last >= options_.quiet || now - first >= options_.longest))
            return take_changes();
    }
    return {};
}

}  // namespace imprint::jobs
