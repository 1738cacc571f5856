// SPDX-License-Identifier: Apache-2.0
// Learning a person's own classes off the GUI thread.
#pragma once

#include <QObject>
#include <memory>

#include "app/gui/problem.h"
#include "app/gui/worker_thread.h"
#include "app/jobs/finetune_job.h"

namespace imprint::gui {

using LearnReportPtr = std::shared_ptr<const jobs::FinetuneReport>;

/// Lives in the GUI thread, as do all its signals.
class LearnService : public QObject {
    Q_OBJECT

public:
    explicit LearnService(std::shared_ptr<jobs::Engine> engine, QObject* parent = nullptr);
    ~LearnService() override;

    /// Answers with progressed() and then learned(), stopped() or failed(). One at a time: while busy() nothing happens.
    void learn(const jobs::FinetuneOptions& options);
    void stop() { cancel_.cancel(); }  ///< nothing is written then
    bool busy() const { return busy_; }
    /// Checkpoints that the library can be switched to: the shipped one, those learned here, and those of finished runs here.
    std::vector<std::filesystem::path> models() const;
    std::filesystem::path current_model() const;  ///< empty where there is none

Q_SIGNALS:
    void progressed(const imprint::jobs::FinetuneProgress& progress);
    void learned(const imprint::gui::LearnReportPtr& report);
    void stopped();
    void failed(const imprint::gui::Problem& problem);

private:
    std::shared_ptr<jobs::Engine> engine_;
    CancelToken cancel_;
    bool busy_ = false;
    WorkerThread worker_;  // last: its work uses everything above
};

}  // namespace imprint::gui
