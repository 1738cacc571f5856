// SPDX-License-Identifier: Apache-2.0
// The before/after table of what was learned: a row for each class, and last one for all of them.
#pragma once

#include <QAbstractTableModel>

#include "app/gui/learn_service.h"

namespace imprint::gui {

class LearnModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Name, Files, HeldOut, ByName, Probed, Tuned };

    using QAbstractTableModel::QAbstractTableModel;
    void set_report(LearnReportPtr report);
    const LearnReportPtr& report() const { return report_; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;  ///< without Tuned where the network itself has not learned
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    const jobs::ClassRow& row(int number) const;

    LearnReportPtr report_;
};

}  // namespace imprint::gui
