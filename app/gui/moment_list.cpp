// SPDX-License-Identifier: Apache-2.0
// A list widget with a delegate that paints one line per moment.
#include "app/gui/moment_list.h"

#include <QContextMenuEvent>
#include <QPainter>
#include <QStyledItemDelegate>

#include "app/gui/figures.h"

namespace imprint::gui {
namespace {

class MomentDelegate : public QStyledItemDelegate {
public:
    explicit MomentDelegate(MomentList& list) : QStyledItemDelegate(&list), list_(list) { }

    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {100, 34}; }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        const auto& hit = list_.moments()[static_cast<size_t>(index.row())];
        const Palette& colours = list_.theme().colours();
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        const QRect row = option.rect;
        const bool active = option.state & (QStyle::State_Selected | QStyle::State_MouseOver);
        if (active) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(option.state & QStyle::State_Selected ? colours.accent_soft : colours.background);
            painter->drawRoundedRect(row.adjusted(0, 1, 0, -1), 6, 6);
        }
        painter->setPen(Qt::NoPen);
        painter->setBrush(list_.theme().band(hit.band));
        painter->drawEllipse(QRectF(row.left() + 6, row.center().y() - 3, 7, 7));
        painter->setFont(list_.theme().font(metrics::text, QFont::Medium));
        painter->setPen(colours.ink);
        draw_figures(*painter, row.adjusted(22, 0, -70, 0), Qt::AlignLeft, index.data(Qt::DisplayRole).toString());
        painter->setFont(list_.theme().font(12));
        painter->setPen(colours.dim);
        painter->drawText(row.adjusted(0, 0, -6, 0), Qt::AlignVCenter | Qt::AlignRight, index.data(Qt::UserRole).toString());
        painter->restore();
    }

private:
    MomentList& list_;
};

}  // namespace

MomentList::MomentList(const Theme& theme, QWidget* parent) : QListWidget(parent), theme_(theme)
{
    setItemDelegate(new MomentDelegate(*this));
    setFrameShape(QFrame::NoFrame);
    setMouseTracking(true);
    setUniformItemSizes(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollMode(ScrollPerPixel);
    setAccessibleName(tr("Moments"));
    setDragEnabled(true);
    setDragDropMode(DragOnly);
    setDropIndicatorShown(false);
    connect(this, &QListWidget::itemClicked, this, [this](QListWidgetItem* item) { Q_EMIT picked(row(item)); });
    connect(this, &QListWidget::itemActivated, this, [this](QListWidgetItem* item) { Q_EMIT picked(row(item)); });
    connect(&theme_, &Theme::changed, viewport(), qOverload<>(&QWidget::update));
}

void MomentList::set_moments(std::vector<index::MomentHit> moments)
{
    clear();
    moments_ = std::move(moments);
    for (const auto& hit : moments_) {
        QString text = tr("whole picture");
        if (hit.moment.start && hit.moment.end)
            text = format_span(*hit.moment.start, *hit.moment.end, QStringLiteral(" – "));
        auto* item = new QListWidgetItem(text, this);
        const QString sense = hit.moment.modality == Modality::Sound ? tr("sound") : tr("picture");
        item->setData(Qt::UserRole, sense);
        item->setData(Qt::AccessibleTextRole,
                      QStringLiteral("%1, %2, %3").arg(text, sense, QString::fromLatin1(index::band_name(hit.band))));
    }
}

void MomentList::startDrag(Qt::DropActions)
{
    if (currentRow() >= 0)
        Q_EMIT dragged(currentRow());
}

void MomentList::contextMenuEvent(QContextMenuEvent* event)
{
    const bool by_key = event->reason() == QContextMenuEvent::Keyboard;
    const QListWidgetItem* const under = by_key ? currentItem() : itemAt(event->pos());
    if (!under)
        return;
    const QPoint point = by_key ? visualItemRect(under).center() : event->pos();
    Q_EMIT menu_wanted(row(under), viewport()->mapToGlobal(point));
}

}  // namespace imprint::gui
