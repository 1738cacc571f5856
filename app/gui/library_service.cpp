// SPDX-License-Identifier: Apache-2.0
// Counts per root are taken in pages, so that no read stays open for long and the WAL can shrink.
#include "app/gui/library_service.h"

#include <algorithm>
#include <string_view>
#include <system_error>

namespace imprint::gui {
namespace {

bool below(std::string_view path, std::string_view root)
{
    return path.starts_with(root) && (path.size() == root.size() || root.ends_with('/') || path[root.size()] == '/');
}

LibraryState read(const std::filesystem::path& folder)
{
    LibraryState state;
    state.folder = folder;
    if (!std::filesystem::exists(folder / "catalog.sqlite"))
        return state;
    index::Library library(folder, index::OpenMode::ReadOnly);
    state.counts = library.counts();
    state.labels = library.label_names();
    state.failures = library.failures();
    std::stable_sort(state.failures.begin(), state.failures.end(),
                     [](const index::Failure& a, const index::Failure& b) { return a.at > b.at; });
    for (auto& path : library.roots()) {
        RootState root;
        std::error_code ignored;  // a root that cannot be looked at is as good as absent
        root.there = std::filesystem::exists(path, ignored);
        root.path = std::move(path);
        state.roots.push_back(std::move(root));
    }
    constexpr int64_t page = 4000;
    for (int64_t offset = 0;; offset += page) {
        const auto rows = library.files(offset, page);
        for (const auto& row : rows)
            for (RootState& root : state.roots)
                if (below(row.facts.path.native(), root.path.native())) {
                    ++root.counts.files;
                    root.counts.moments += row.moments;
                    switch (row.probe.kind) {
                    case media::Kind::Image:
                        ++root.counts.images;
                        break;
                    case media::Kind::Video:
                        ++root.counts.videos;
                        break;
                    case media::Kind::Audio:
                        ++root.counts.sounds;
                        break;
                    }
                }
        if (static_cast<int64_t>(rows.size()) < page)
            break;
    }
    for (const auto& failure : state.failures)
        for (RootState& root : state.roots)
            if (below(failure.path.native(), root.path.native()))
                ++root.counts.failed;
    return state;
}

}  // namespace

LibraryService::LibraryService(std::filesystem::path folder, QObject* parent)
    : QObject(parent), folder_(std::move(folder)), worker_(QStringLiteral("library"), 5)
{
    state_.folder = folder_;
}

LibraryService::~LibraryService() { worker_.stop(); }

void LibraryService::refresh()
{
    if (busy_) {
        again_ = true;
        return;
    }
    busy_ = true;
    worker_.post([this, folder = folder_] {
        auto finish = [this] {
            busy_ = false;
            if (again_) {
                again_ = false;
                refresh();
            }
        };
        try {
            LibraryState state = read(folder);
            QMetaObject::invokeMethod(this, [this, finish, state = std::move(state)] {
                state_ = state;
                known_ = true;
                finish();
                Q_EMIT changed();
            });
        } catch (const std::exception& error) {
            QMetaObject::invokeMethod(this, [this, finish, problem = problem_of(tr("read the library"), error)] {
                known_ = true;
                finish();
                Q_EMIT failed(problem);
            });
        }
    });
}

void LibraryService::rate(const std::vector<index::Rating>& ratings, std::function<void()> refused)
{
    ++rating_;
    worker_.post([this, folder = folder_, ratings, refused = std::move(refused)] {
        try {
            index::Library(folder, index::OpenMode::ReadWrite).rate(ratings);
            QMetaObject::invokeMethod(this, [this] {
                --rating_;
                Q_EMIT rated();
            });
        } catch (const std::exception& error) {
            QMetaObject::invokeMethod(this, [this, refused, problem = problem_of(tr("give stars"), error)] {
                --rating_;
                refused();
                Q_EMIT failed(problem);
            });
        }
    });
}

}  // namespace imprint::gui
