// SPDX-License-Identifier: Apache-2.0
// Training in a process of its own (`imprint train`), watched through its folder: a run that was started elsewhere looks the
// same, and one that was started here goes on when the window is closed.
#pragma once

#include <QObject>
#include <QTimer>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/gui/problem.h"
#include "app/gui/worker_thread.h"
#include "app/jobs/run_status.h"
#include "training/log/run_metrics.h"

namespace imprint::gui {

/// What the page draws of a run; curves are smoothed and thin enough to draw at once.
struct RunPicture {
    std::filesystem::path folder;
    QString name;
    jobs::RunStatus status;
    qint64 step = 0, steps = 0;  ///< done and wanted; steps 0: not known yet
    double samples_per_second = 0;
    std::optional<double> seconds_left;
    using Curves = std::map<std::string, training::Curve>;
    Curves loss, accuracy;  ///< by objective
    Curves held_out;        ///< by evaluation and its figure
    std::map<std::string, training::ExpertUse> experts;
    std::optional<double> left_behind;  ///< share of tokens that no expert took, lately
};

/// Reads the folder's picture through `follower`; what takes long in a long run.
RunPicture run_picture(const std::filesystem::path& folder, training::MetricsFollower& follower);

/// Lives in the GUI thread, as do all its signals.
class RunService : public QObject {
    Q_OBJECT

public:
    enum class State { None, Starting, Running, Pausing, Paused, Finished };

    /// `folder`: where runs that are started here go.
    explicit RunService(std::filesystem::path folder, QObject* parent = nullptr);
    ~RunService() override;

    void open(std::filesystem::path run);
    /// Starts the recipe in a new folder and opens it. Where it ends before its first step it answers with failed(), and the
    /// folder is gone again.
    void start(const std::filesystem::path& recipe);
    void resume();
    /// The run writes a state and ends; resume() goes on from there.
    void pause();

    State state() const;
    const RunPicture& picture() const { return picture_; }
    std::vector<std::filesystem::path> recent() const { return jobs::runs_in(runs_); }
    bool busy() const { return reading_; }

Q_SIGNALS:
    void changed();
    void failed(const imprint::gui::Problem& problem);

private:
    void launch(const std::filesystem::path& recipe, std::filesystem::path run, bool resume);
    void end_unwanted(const RunPicture& picture);
    void look();
    void take(const RunPicture& picture);

    const std::filesystem::path runs_;
    RunPicture picture_;
    std::shared_ptr<training::MetricsFollower> follower_;  // the worker's, once posted
    QTimer tick_;
    std::optional<qint64> launched_;  // until it has the folder's lock, or has ended
    bool seen_running_ = false, pausing_ = false, reading_ = false;
    WorkerThread worker_;  // last: its work uses everything above
};

}  // namespace imprint::gui
