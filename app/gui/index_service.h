// SPDX-License-Identifier: Apache-2.0
// Indexing off the GUI thread: one run at a time, what is added meanwhile waits its turn; pausing keeps all that is
// done.
#pragma once

#include <QObject>
#include <functional>
#include <memory>
#include <vector>

#include "app/gui/problem.h"
#include "app/gui/worker_thread.h"
#include "app/jobs/jobs.h"

namespace imprint::gui {

/// Lives in the GUI thread, as do all its signals.
class IndexService : public QObject {
    Q_OBJECT

public:
    enum class State { Idle, Running, Pausing, Paused, Stopping };

    explicit IndexService(std::shared_ptr<jobs::Engine> engine, QObject* parent = nullptr);
    ~IndexService() override;

    void add(const std::vector<std::filesystem::path>& paths);
    /// Reads the whole library again for another model, which then answers; the old one does until all is done. Ends with
    /// model_switched(), or failed(). Waits for what is under way.
    void use_model(const std::filesystem::path& checkpoint);
    /// Forgets recorded failures and goes over `roots` again: what is unchanged is skipped.
    void retry(const std::vector<std::filesystem::path>& roots);
    void pause();
    void resume();
    /// Gives up what is queued; what was committed stays.
    void cancel();
    /// What the user looks at: files at and below it are indexed first, in this run and in later ones. Empty: nothing special.
    void look_at(const std::filesystem::path& folder) { control_.look_at(folder); }
    std::filesystem::path looked_at() const { return control_.looked_at(); }

    State state() const { return state_; }
    const std::vector<std::filesystem::path>& current() const { return current_; }
    std::vector<std::filesystem::path> unfinished() const;         ///< what is being indexed and what waits
    const std::filesystem::path& model() const { return model_; }  ///< being switched to, or about to be; empty: none
    const jobs::IndexProgress& progress() const { return progress_; }

Q_SIGNALS:
    void state_changed();
    void progressed(const imprint::jobs::IndexProgress& progress);
    void finished(const imprint::jobs::IndexReport& report);
    void model_switched(const std::filesystem::path& checkpoint);
    void failed(const imprint::gui::Problem& problem);

private:
    void start(bool forget_failures);
    /// Runs the work on the worker as the run under way.
    using Work = std::function<jobs::IndexReport(const std::function<void(const jobs::IndexProgress&)>&, const CancelToken&)>;
    void start(const QString& doing, Work work);
    void start_switch();
    void start_next();
    void ended(const jobs::IndexReport& report);
    void set_state(State state);

    std::shared_ptr<jobs::Engine> engine_;
    State state_ = State::Idle;
    std::vector<std::filesystem::path> current_, waiting_;
    std::filesystem::path model_;
    bool retry_waiting_ = false, switching_ = false;
    jobs::IndexProgress progress_;
    CancelToken cancel_;
    const jobs::IndexControl control_;
    WorkerThread worker_;
};

}  // namespace imprint::gui
