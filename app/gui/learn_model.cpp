// SPDX-License-Identifier: Apache-2.0
#include "app/gui/learn_model.h"

#include "app/gui/figures.h"

namespace imprint::gui {
namespace {

QString percent(double share) { return QString::number(qRound(100 * share)); }

}  // namespace

void LearnModel::set_report(LearnReportPtr report)
{
    beginResetModel();
    report_ = std::move(report);
    endResetModel();
}

const jobs::ClassRow& LearnModel::row(int number) const
{
    const auto at = static_cast<size_t>(number);
    return at < report_->classes.size() ? report_->classes[at] : report_->all;
}

int LearnModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() || !report_ ? 0 : static_cast<int>(report_->classes.size()) + 1;
}

int LearnModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() || !report_ ? 0 : report_->all.tuned ? Tuned + 1 : Tuned;
}

QVariant LearnModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || !report_ || index.row() >= rowCount() || index.column() >= columnCount())
        return {};
    const jobs::ClassRow& shown = row(index.row());
    const jobs::Estimate* share = index.column() == ByName ? &shown.by_name
        : index.column() == Probed                         ? &shown.probed
        : index.column() == Tuned && shown.tuned           ? &*shown.tuned
                                                           : nullptr;
    switch (role) {
    case Qt::DisplayRole:
        if (index.column() == Name)
            return index.row() + 1 == rowCount() ? tr("All of them") : QString::fromStdString(shown.name);
        if (index.column() == Files)
            return format_count(shown.files);
        if (index.column() == HeldOut)
            return format_count(shown.held_out);
        return share ? tr("%1 %").arg(percent(share->share)) : QString();
    case Qt::ToolTipRole:
        return share ? tr("between %1 and %2 % (95 of 100 times)").arg(percent(share->low), percent(share->high)) : QVariant();
    case Qt::TextAlignmentRole:
        return int(Qt::AlignVCenter | (index.column() == Name ? Qt::AlignLeft : Qt::AlignRight));
    default:
        return {};
    }
}

QVariant LearnModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount())
        return {};
    if (role == Qt::TextAlignmentRole)
        return int(Qt::AlignVCenter | (section == Name ? Qt::AlignLeft : Qt::AlignRight));
    if (role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("Class"), tr("Files"), tr("Held out"), tr("By its name"), tr("With a layer"), tr("Learned")};
    return titles[section];
}

}  // namespace imprint::gui
