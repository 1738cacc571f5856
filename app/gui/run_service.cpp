// SPDX-License-Identifier: Apache-2.0
// The folder is the truth. What was launched from here only says what to make of a folder that nobody works on.
#include "app/gui/run_service.h"

#include <sys/resource.h>

#include <QProcess>

#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

constexpr int look_ms = 1000;
constexpr int niceness = 5;  // the window and its searches come first

/// One that has ended and waits to be collected has no program any more.
bool alive(qint64 process)
{
    std::error_code gone;
    return !std::filesystem::read_symlink("/proc/" + std::to_string(process) + "/exe", gone).empty();
}

}  // namespace

RunService::RunService(std::filesystem::path folder, QObject* parent)
    : QObject(parent), runs_(std::move(folder)), worker_(QStringLiteral("run"), 8)
{
    tick_.setInterval(look_ms);
    connect(&tick_, &QTimer::timeout, this, &RunService::look);
}

RunService::~RunService() { worker_.stop(); }

RunService::State RunService::state() const
{
    if (picture_.folder.empty())
        return State::None;
    if (picture_.status.process)
        return pausing_ ? State::Pausing : State::Running;
    if (launched_)
        return State::Starting;
    return picture_.status.checkpoint.empty() ? State::Paused : State::Finished;
}

void RunService::open(std::filesystem::path run)
{
    if (run != picture_.folder) {
        launched_.reset();
        pausing_ = seen_running_ = false;
    }
    picture_ = {};
    picture_.folder = run;
    picture_.name = shown_name(run);
    follower_ = std::make_shared<training::MetricsFollower>(run);
    tick_.start();
    look();
    Q_EMIT changed();
}

void RunService::start(const std::filesystem::path& recipe)
{
    const auto run = jobs::free_run_folder(runs_, recipe.stem().string());
    launch(recipe, run, false);
}

void RunService::resume()
{
    if (state() == State::Paused && picture_.status.saved_step)
        launch(picture_.folder / "recipe.toml", picture_.folder, true);
}

void RunService::launch(const std::filesystem::path& recipe, std::filesystem::path run, bool resume)
{
    try {
        std::error_code failure;
        std::filesystem::create_directories(run, failure);
        if (failure)
            throw_errno(failure.value(), run.native(), "create the run's folder");
        QStringList words;
        for (const std::string& word : jobs::train_command(recipe, run, resume))
            words << shown_path(word);
        QProcess process;
        process.setProgram(words.takeFirst());
        process.setArguments(words);
        const QString log = shown_path(run / jobs::kRunLog);
        process.setStandardInputFile(QProcess::nullDevice());
        process.setStandardOutputFile(log);
        process.setStandardErrorFile(log, QIODevice::Append);
        qint64 id = 0;
        if (!process.startDetached(&id))
            throw Error(ErrorKind::Io, process.program().toStdString(), process.errorString().toStdString(),
                        "Install Imprint anew");
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(id), niceness);  // being refused costs smoothness only
        open(run);
        launched_ = id;
        pausing_ = seen_running_ = false;
        Q_EMIT changed();
    } catch (const std::exception& error) {
        Q_EMIT failed(problem_of(tr("start the training"), error));
    }
}

void RunService::pause()
{
    if (state() != State::Running)
        return;
    if (!jobs::stop_run(picture_.folder)) {
        Q_EMIT failed({tr("Could not pause the run: the system refused to signal its process."), shown_path(picture_.folder),
                       tr("Stop it where it was started."), ErrorKind::Permission});
        return;
    }
    pausing_ = true;
    Q_EMIT changed();
}

void RunService::look()
{
    if (reading_ || !follower_)
        return;
    reading_ = true;
    worker_.post([this, folder = picture_.folder, follower = follower_] {
        RunPicture picture = run_picture(folder, *follower);
        QMetaObject::invokeMethod(this, [this, follower, picture = std::move(picture)] {
            reading_ = false;
            if (follower == follower_)
                take(picture);
            else
                look();  // another run was opened meanwhile
        });
    });
}

void RunService::take(const RunPicture& picture)
{
    picture_ = picture;
    if (picture.status.process) {
        seen_running_ = true;
        launched_.reset();
    } else if ((launched_ && !alive(*launched_)) || (seen_running_ && !launched_)) {
        const bool wanted = pausing_ || !picture.status.checkpoint.empty();
        const bool own = launched_.has_value() || !picture.status.last_words.empty();
        launched_.reset();
        pausing_ = seen_running_ = false;
        if (!wanted && own && picture.status.last_words.find("stopped on request") == std::string::npos)
            end_unwanted(picture);
    }
    Q_EMIT changed();
}

/// `picture` is a copy of the service's own, which may go.
void RunService::end_unwanted(const RunPicture& picture)
{
    const bool here = picture.folder.parent_path() == runs_;
    if (here && picture.step == 0 && !picture.status.saved_step) {
        // A refused recipe leaves its words alone; they are told below, and nothing in the folder is worth keeping.
        std::error_code kept;
        std::filesystem::remove_all(picture.folder, kept);
        tick_.stop();
        follower_.reset();
        picture_ = {};
    }
    Q_EMIT failed({tr("The training ended before its time."),
                   shown_path(picture.folder),
                   QString::fromStdString(picture.status.last_words),
                   {}});
}

}  // namespace imprint::gui
