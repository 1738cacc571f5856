// SPDX-License-Identifier: Apache-2.0
// A pause is a cancelled run whose paths are kept: the catalog knows what is done, so going on costs one scan.
#include "app/gui/index_service.h"

#include <algorithm>
#include <utility>

namespace imprint::gui {

IndexService::IndexService(std::shared_ptr<jobs::Engine> engine, QObject* parent)
    : QObject(parent), engine_(std::move(engine)), worker_(QStringLiteral("index"), 8)
{
}

IndexService::~IndexService()
{
    cancel_.cancel();
    worker_.stop();
}

void IndexService::set_state(State state)
{
    state_ = state;
    Q_EMIT state_changed();
}

void IndexService::add(const std::vector<std::filesystem::path>& paths)
{
    for (const auto& path : paths)
        if (std::find(waiting_.begin(), waiting_.end(), path) == waiting_.end())
            waiting_.push_back(path);
    if (state_ == State::Idle && !waiting_.empty())
        start(false);
    else if (state_ == State::Paused)
        resume();
}

void IndexService::retry(const std::vector<std::filesystem::path>& roots)
{
    waiting_.insert(waiting_.end(), roots.begin(), roots.end());
    retry_waiting_ = true;
    if (state_ == State::Idle)
        start(true);
}

void IndexService::pause()
{
    if (state_ != State::Running)
        return;
    cancel_.cancel();
    set_state(State::Pausing);
}

void IndexService::resume()
{
    if (state_ != State::Paused)
        return;
    waiting_.insert(waiting_.begin(), current_.begin(), current_.end());
    start(retry_waiting_);
}

void IndexService::cancel()
{
    waiting_.clear();
    retry_waiting_ = false;
    if (state_ == State::Paused) {
        current_.clear();
        set_state(State::Idle);
    } else if (state_ == State::Running || state_ == State::Pausing) {
        cancel_.cancel();
        set_state(State::Stopping);
    }
}

void IndexService::start(bool forget_failures)
{
    current_ = std::exchange(waiting_, {});
    retry_waiting_ = false;
    cancel_ = CancelToken();
    progress_ = {};
    progress_.stage = "scanning";
    set_state(State::Running);
    worker_.post([this, paths = current_, cancel = cancel_, forget_failures] {
        jobs::IndexReport report;
        try {
            if (forget_failures)
                index::Library(engine_->library_folder(), index::OpenMode::ReadWrite).forget_failures();
            report = jobs::index_paths(
                *engine_, paths,
                [this](const jobs::IndexProgress& progress) {
                    QMetaObject::invokeMethod(this, [this, progress] {
                        progress_ = progress;
                        Q_EMIT progressed(progress);
                    });
                },
                cancel);
        } catch (const std::exception& error) {
            report.cancelled = true;
            const auto* known = dynamic_cast<const Error*>(&error);
            if (!known || known->kind() != ErrorKind::Cancelled)
                QMetaObject::invokeMethod(this, [this, problem = problem_of(tr("index"), error)] {
                    if (state_ == State::Running)
                        state_ = State::Stopping;  // a run that broke is over, not paused
                    Q_EMIT failed(problem);
                });
        }
        QMetaObject::invokeMethod(this, [this, report] { ended(report); });
    });
}

void IndexService::ended(const jobs::IndexReport& report)
{
    const bool paused = state_ == State::Pausing && report.cancelled;
    if (!paused)
        current_.clear();
    state_ = paused ? State::Paused : State::Idle;
    Q_EMIT finished(report);
    if (state_ == State::Idle && !waiting_.empty())
        start(retry_waiting_);
    else
        Q_EMIT state_changed();
}

}  // namespace imprint::gui
