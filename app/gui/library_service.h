// SPDX-License-Identifier: Apache-2.0
// What the library holds, read off the GUI thread through a connection of its own; the stars that people give, written there.
#pragma once

#include <QObject>
#include <functional>
#include <memory>
#include <vector>

#include "app/gui/problem.h"
#include "app/gui/worker_thread.h"
#include "app/jobs/jobs.h"

namespace imprint::gui {

struct RootState {
    std::filesystem::path path;
    bool there = true;  ///< false: its disk is not connected, or it was moved
    index::Counts counts;
};

struct LibraryState {
    std::filesystem::path folder;
    index::Counts counts;
    std::vector<RootState> roots;
    std::vector<index::Failure> failures;  ///< newest first
    std::vector<std::string> labels;       ///< names of all that are given, in order
    bool empty() const { return roots.empty() && counts.files == 0 && counts.failed == 0; }
};

/// Lives in the GUI thread, as do all its signals.
class LibraryService : public QObject {
    Q_OBJECT

public:
    explicit LibraryService(std::filesystem::path folder, QObject* parent = nullptr);
    ~LibraryService() override;

    /// Reads again; calls that come while one is under way are joined into one more.
    void refresh();
    const LibraryState& state() const { return state_; }
    bool known() const { return known_; }  ///< false until the first answer
    bool busy() const { return busy_ || rating_ > 0; }

    /// All or none are kept. Answers with rated(), or calls `refused` and emits failed().
    void rate(const std::vector<index::Rating>& ratings, std::function<void()> refused);
    bool rating() const { return rating_ > 0; }  ///< stars are on their way

Q_SIGNALS:
    void changed();
    void rated();
    void failed(const imprint::gui::Problem& problem);

private:
    std::filesystem::path folder_;
    LibraryState state_;
    bool known_ = false, busy_ = false, again_ = false;
    int rating_ = 0;
    WorkerThread worker_;
};

}  // namespace imprint::gui
