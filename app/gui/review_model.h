// SPDX-License-Identifier: Apache-2.0
// The moments of a labelling run as rows: those to look at, those that were looked at, or all.
#pragma once

#include <QAbstractListModel>
#include <vector>

#include "app/gui/label_service.h"

namespace imprint::gui {

class ReviewModel : public QAbstractListModel {
    Q_OBJECT

public:
    enum class Show { Queue, Reviewed, All };
    /// An answer that a digit gives.
    struct Answer {
        int label = jobs::LabelledMoment::kNone;
        double probability = 0;
    };

    explicit ReviewModel(QObject* parent = nullptr);

    void set_run(LabelRunPtr run, std::vector<jobs::ReviewItem> queue);
    void set_show(Show show);
    const LabelRunPtr& run() const { return run_; }

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

    jobs::ReviewItem item(int row) const { return rows_[static_cast<size_t>(row)]; }
    const jobs::LabelledMoment& moment(int row) const;
    const jobs::LabelledFile& file(int row) const;
    QString label_name(int label) const;
    std::vector<Answer> answers(int row) const;  ///< the likeliest first
    /// What Space accepts: what the program says, or leans to.
    int accepted(int row) const;
    /// Sets or takes back the verdict; the row stays where it is.
    void set_verdict(size_t moment, std::optional<int> verdict, bool drawn);
    int row_of(size_t moment) const;  ///< −1: not shown
    int left() const;                 ///< rows of the queue without a verdict
    int queued() const { return static_cast<int>(queue_.size()); }

private:
    void fill();

    LabelRunPtr run_;
    std::vector<jobs::ReviewItem> queue_, rows_;
    Show show_ = Show::Queue;
};

}  // namespace imprint::gui
