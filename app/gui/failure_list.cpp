// SPDX-License-Identifier: Apache-2.0
// The name in ink, the reason dimmed behind it; as tall as its rows up to a limit.
#include "app/gui/failure_list.h"

#include <QPainter>
#include <QStyledItemDelegate>
#include <algorithm>

#include "app/gui/figures.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

constexpr int most_rows_seen = 10, name_width = 300;

class FailureDelegate : public QStyledItemDelegate {
public:
    FailureDelegate(const Theme& theme, QObject* parent) : QStyledItemDelegate(parent), theme_(theme) { }

    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {100, FailureList::row_height}; }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        const Palette& colours = theme_.colours();
        const QRect row = option.rect;
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        if (option.state & QStyle::State_Selected) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(colours.accent_soft);
            painter->drawRoundedRect(row.adjusted(0, 1, 0, -1), 6, 6);
        }
        painter->drawPixmap(row.left() + 4, row.center().y() - 7,
                            icon_pixmap(QStringLiteral("warning"), colours.bad, 15, painter->device()->devicePixelRatioF()));
        painter->setFont(theme_.font(metrics::text, QFont::Medium));
        painter->setPen(colours.ink);
        const int wide = std::min(name_width, row.width() / 2);
        const QString name = index.data(Qt::DisplayRole).toString();
        draw_figures(*painter, QRect(row.left() + 30, row.top(), wide, row.height()), Qt::AlignLeft,
                     painter->fontMetrics().elidedText(name, Qt::ElideMiddle, wide - 4));
        painter->setFont(theme_.font());
        painter->setPen(colours.dim);
        draw_figures(*painter, row.adjusted(30 + wide + 16, 0, -8, 0), Qt::AlignLeft, index.data(Qt::UserRole).toString());
        painter->restore();
    }

private:
    const Theme& theme_;
};

}  // namespace

FailureList::FailureList(const Theme& theme, QWidget* parent) : QListWidget(parent), theme_(theme)
{
    setAccessibleName(tr("Files that could not be read"));
    setItemDelegate(new FailureDelegate(theme_, this));
    setFrameShape(QFrame::NoFrame);
    setUniformItemSizes(true);
    setSelectionMode(ExtendedSelection);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollMode(ScrollPerPixel);
    connect(&theme_, &Theme::changed, viewport(), qOverload<>(&QWidget::update));
}

void FailureList::set_failures(const std::vector<index::Failure>& failures)
{
    std::vector<std::filesystem::path> paths;
    for (const auto& failure : failures)
        if (paths.size() < most_shown)
            paths.push_back(failure.path);
    setFixedHeight(row_height * std::clamp(int(paths.size()), 1, most_rows_seen) + 4);
    if (paths == shown_)
        return;  // a refresh while indexing must not move what is being read
    shown_ = std::move(paths);
    clear();
    for (size_t i = 0; i < shown_.size(); ++i) {
        auto* item = new QListWidgetItem(shown_name(shown_[i]), this);
        const QString reason = QString::fromStdString(failures[i].reason);
        item->setData(Qt::UserRole, reason);
        item->setData(Qt::AccessibleTextRole, QStringLiteral("%1: %2").arg(shown_name(shown_[i]), reason));
        item->setToolTip(shown_path(shown_[i]));
    }
}

}  // namespace imprint::gui
