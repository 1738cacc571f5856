// SPDX-License-Identifier: Apache-2.0
// Labelling off the GUI thread: runs, verdicts, keeping and exporting, one after another.
#pragma once

#include <QObject>
#include <functional>
#include <memory>
#include <vector>

#include "app/gui/problem.h"
#include "app/gui/worker_thread.h"
#include "app/jobs/export.h"
#include "app/jobs/label_review.h"

namespace imprint::gui {

/// A label set that can be chosen.
struct LabelChoice {
    QString name;
    std::filesystem::path file;
    bool own = false;  ///< lies in the library's folder and may be edited
};

using LabelRunPtr = std::shared_ptr<jobs::LabelRun>;

/// Lives in the GUI thread, as do all its signals. A run that was handed out belongs to the GUI thread.
class LabelService : public QObject {
    Q_OBJECT

public:
    explicit LabelService(std::shared_ptr<jobs::Engine> engine, QObject* parent = nullptr);
    ~LabelService() override;

    /// The user's own sets (in the library's folders `labels` and `learned`), then the shipped ones that none of those replaces.
    std::vector<LabelChoice> choices() const;
    /// The set's file where it may be edited: a shipped one is copied into the library's folder first. Throws Error.
    std::filesystem::path editable(const LabelChoice& choice) const;

    /// Answers with labelled() or failed(); a newer run stops an older one.
    void run(const std::filesystem::path& set, const index::Filter& filter);
    void stop();
    /// Keeps a verdict, or takes it back; calls `refused` (in the GUI thread) before failed() where that cannot be.
    void review(const index::Review& review, bool keep, std::function<void()> refused);
    /// Keeps the labels in the library; answers with kept().
    void apply(const jobs::LabelRun& run);
    /// Writes the labels to a file; answers with exported().
    void write(const jobs::LabelRun& run, jobs::ExportFormat format, const std::filesystem::path& file);
    bool busy() const { return pending_ > 0; }

Q_SIGNALS:
    void progressed(double share);
    void labelled(const imprint::gui::LabelRunPtr& run, const std::vector<imprint::jobs::ReviewItem>& queue);
    void kept(qint64 labels);
    void exported(const std::filesystem::path& file);
    void failed(const imprint::gui::Problem& problem);

private:
    void post(const QString& doing, std::function<void()> work, std::function<void()> on_failure = {});

    std::shared_ptr<jobs::Engine> engine_;
    CancelToken cancel_;
    int pending_ = 0;
    WorkerThread worker_;  // last: its work uses everything above
};

}  // namespace imprint::gui
