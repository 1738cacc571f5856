// SPDX-License-Identifier: Apache-2.0
// Rows are numbers of moments; the run itself is never copied.
#include "app/gui/review_model.h"

#include <algorithm>

#include "app/gui/figures.h"
#include "app/gui/paths.h"

namespace imprint::gui {

ReviewModel::ReviewModel(QObject* parent) : QAbstractListModel(parent) { }

void ReviewModel::set_run(LabelRunPtr run, std::vector<jobs::ReviewItem> queue)
{
    beginResetModel();
    run_ = std::move(run);
    queue_ = std::move(queue);
    fill();
    endResetModel();
}

void ReviewModel::set_show(Show show)
{
    beginResetModel();
    show_ = show;
    fill();
    endResetModel();
}

void ReviewModel::fill()
{
    rows_.clear();
    if (!run_)
        return;
    if (show_ == Show::Queue) {
        rows_ = queue_;
        return;
    }
    for (size_t i = 0; i < run_->moments.size(); ++i)
        if (show_ == Show::All || run_->moments[i].verdict)
            rows_.push_back({i, run_->moments[i].drawn});
}

int ReviewModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(rows_.size()); }

const jobs::LabelledMoment& ReviewModel::moment(int row) const { return run_->moments[item(row).moment]; }

const jobs::LabelledFile& ReviewModel::file(int row) const { return run_->files[moment(row).file]; }

QString ReviewModel::label_name(int label) const
{
    if (label == jobs::LabelledMoment::kOther)
        return tr("another label");
    if (label == jobs::LabelledMoment::kNone)
        return tr("none of them");
    return QString::fromStdString(run_->set.classes[static_cast<size_t>(label)].name);
}

std::vector<ReviewModel::Answer> ReviewModel::answers(int row) const
{
    std::vector<Answer> answers;
    for (const auto& [label, probability] : moment(row).likeliest)
        answers.push_back({label, probability});
    return answers;
}

int ReviewModel::accepted(int row) const
{
    const jobs::Guess& guess = moment(row).guess;
    return guess.labels.empty() ? jobs::LabelledMoment::kNone : guess.labels.front();
}

QVariant ReviewModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    const jobs::LabelledMoment& one = moment(index.row());
    switch (role) {
    case Qt::DisplayRole: {
        const QString name = shown_name(file(index.row()).path);
        return one.moment.start ? name + QLatin1Char(' ') + format_span(*one.moment.start, *one.moment.end) : name;
    }
    case Qt::UserRole:  // the state
        return one.verdict ? label_name(*one.verdict) : one.guess.decided ? tr("not looked at") : tr("undecided");
    case Qt::ToolTipRole:
        return shown_path(file(index.row()).path);
    case Qt::AccessibleTextRole: {
        QStringList words{data(index, Qt::DisplayRole).toString(), data(index, Qt::UserRole).toString()};
        int digit = 0;
        for (const Answer& answer : answers(index.row()))
            words << tr("%1: %2, %3 %").arg(++digit).arg(label_name(answer.label)).arg(qRound(100 * answer.probability));
        return words.join(QStringLiteral(", "));
    }
    default:
        return {};
    }
}

void ReviewModel::set_verdict(size_t moment, std::optional<int> verdict, bool drawn)
{
    run_->moments[moment].verdict = verdict;
    run_->moments[moment].drawn = verdict && drawn;
    if (const int row = row_of(moment); row >= 0)
        Q_EMIT dataChanged(index(row), index(row));
}

int ReviewModel::row_of(size_t moment) const
{
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const jobs::ReviewItem& item) { return item.moment == moment; });
    return found == rows_.end() ? -1 : static_cast<int>(found - rows_.begin());
}

int ReviewModel::left() const
{
    return static_cast<int>(std::count_if(queue_.begin(), queue_.end(),
                                          [&](const jobs::ReviewItem& item) { return !run_->moments[item.moment].verdict; }));
}

}  // namespace imprint::gui
