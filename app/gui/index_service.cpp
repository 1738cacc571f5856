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

std::vector<std::filesystem::path> IndexService::unfinished() const
{
    std::vector<std::filesystem::path> paths = waiting_;
    if (state_ != State::Idle && state_ != State::Stopping && current_ != std::vector{model_})
        paths.insert(paths.begin(), current_.begin(), current_.end());
    return paths;
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
    if (current_ == std::vector{model_}) {
        start_switch();
        return;
    }
    waiting_.insert(waiting_.begin(), current_.begin(), current_.end());
    start(retry_waiting_);
}

void IndexService::cancel()
{
    waiting_.clear();
    retry_waiting_ = false;
    if (state_ == State::Paused || !switching_)
        model_.clear();
    if (state_ == State::Paused) {
        current_.clear();
        set_state(State::Idle);
    } else if (state_ == State::Running || state_ == State::Pausing) {
        cancel_.cancel();
        set_state(State::Stopping);
    }
}

void IndexService::use_model(const std::filesystem::path& checkpoint)
{
    model_ = checkpoint;
    if (state_ == State::Idle)
        start_switch();
}

void IndexService::start(bool forget_failures)
{
    current_ = std::exchange(waiting_, {});
    retry_waiting_ = false;
    start(tr("index"), [this, paths = current_, forget_failures](const auto& progress, const CancelToken& cancel) {
        if (forget_failures)
            index::Library(engine_->library_folder(), index::OpenMode::ReadWrite).forget_failures();
        return jobs::index_paths(*engine_, paths, progress, cancel, control_);
    });
}

void IndexService::start_switch()
{
    switching_ = true;
    current_ = {model_};
    start(tr("switch the model"), [this, model = model_](const auto& progress, const CancelToken& cancel) {
        jobs::EngineOptions options = engine_->options();
        options.library = engine_->library_folder();
        options.checkpoint = model;
        jobs::Engine other(options);
        return jobs::use_model(other, progress, cancel).report;
    });
}

void IndexService::start_next()
{
    if (!waiting_.empty())
        start(retry_waiting_);
    else if (!model_.empty())
        start_switch();
}

void IndexService::start(const QString& doing, Work work)
{
    cancel_ = CancelToken();
    progress_ = {};
    progress_.stage = "scanning";
    set_state(State::Running);
    worker_.post([this, doing, work = std::move(work), cancel = cancel_] {
        jobs::IndexReport report;
        try {
            report = work(
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
                QMetaObject::invokeMethod(this, [this, problem = problem_of(doing, error)] {
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
    const std::filesystem::path switched = switching_ && !report.cancelled ? model_ : std::filesystem::path();
    if (switching_ && !paused)
        model_.clear();
    switching_ = false;
    if (!paused)
        current_.clear();
    state_ = paused ? State::Paused : State::Idle;
    if (!switched.empty())
        Q_EMIT model_switched(switched);
    Q_EMIT finished(report);
    if (state_ == State::Idle && (!waiting_.empty() || !model_.empty()))
        start_next();
    else
        Q_EMIT state_changed();
}

}  // namespace imprint::gui
