// SPDX-License-Identifier: Apache-2.0
// Painted by hand, so that the figures of all folders stand in columns.
#include "app/gui/folder_card.h"

#include <QHBoxLayout>
#include <QPainter>

#include "app/gui/figures.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

constexpr int column = 92, gap = 16;

}  // namespace

FolderCard::FolderCard(const Theme& theme, const RootState& root, QWidget* parent)
    : QFrame(parent), theme_(theme), root_(root), update_(new QPushButton(tr("Update")))
{
    setObjectName(QStringLiteral("card"));
    setFixedHeight(68);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 16, 0);
    row->addStretch();
    row->addWidget(update_);
    connect(update_, &QPushButton::clicked, this, &FolderCard::update_wanted);
    connect(&theme_, &Theme::changed, this, qOverload<>(&FolderCard::update));
    set_root(root);
}

void FolderCard::set_root(const RootState& root)
{
    root_ = root;
    const QString name = shown_name(root.path);
    setAccessibleName(root.there ? tr("%1: %2 files").arg(name, format_count(root.counts.files)) : tr("%1: offline").arg(name));
    update_->setAccessibleName(tr("Update %1").arg(name));
    update_->setToolTip(root.there ? tr("Looks for new, changed and vanished files")
                                   : tr("Connect the disk of this folder first"));
    update_->setEnabled(root.there && !busy_);
    setToolTip(shown_path(root.path));
    update();
}

void FolderCard::set_busy(bool busy)
{
    busy_ = busy;
    update_->setEnabled(root_.there && !busy);
    update();
}

void FolderCard::paintEvent(QPaintEvent* event)
{
    QFrame::paintEvent(event);
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRect tile(16, (height() - 36) / 2, 36, 36);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.accent_soft);
    painter.drawRoundedRect(tile, metrics::control_radius, metrics::control_radius);
    painter.drawPixmap(tile.topLeft() + QPoint(9, 9),
                       icon_pixmap(QStringLiteral("folder"), colours.accent, 18, devicePixelRatioF()));

    const std::pair<int64_t, QString> numbers[] = {{root_.counts.images, tr("images")},
                                                   {root_.counts.videos, tr("videos")},
                                                   {root_.counts.sounds, tr("sounds")},
                                                   {root_.counts.moments, tr("moments")}};
    const int shown = width() > 700 ? 4 : width() > 560 ? 2 : 0;
    int right = update_->x() - gap;  // the button is as wide as its word, in every language
    for (int i = shown - 1; i >= 0; --i) {
        const QRect cell(right - column, 0, column, height());
        painter.setFont(theme_.font(metrics::card, QFont::DemiBold));
        painter.setPen(numbers[i].first ? colours.ink : colours.dim);
        draw_figures(painter, cell.adjusted(0, 15, -4, -height() / 2 + 3), Qt::AlignRight, format_count(numbers[i].first));
        painter.setFont(theme_.font(metrics::caption));
        painter.setPen(colours.dim);
        draw_figures(painter, cell.adjusted(0, height() / 2 + 1, -4, -14), Qt::AlignRight, numbers[i].second);
        right -= column;
    }

    const QRect words(tile.right() + 13, 0, right - tile.right() - 30, height());
    painter.setFont(theme_.font(metrics::card, QFont::DemiBold));
    painter.setPen(colours.ink);
    painter.drawText(words.adjusted(0, 13, 0, -height() / 2), Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(shown_name(root_.path), Qt::ElideMiddle, words.width()));
    painter.setFont(theme_.font(12));
    QString state = shown_path(root_.path.parent_path());
    if (!root_.there)
        state = tr("offline: its disk is not connected, or it was moved · ") + state;
    else if (root_.counts.failed)
        state = counted(root_.counts.failed, tr("failure"), tr("failures")) + QStringLiteral(" · ") + state;
    if (busy_)
        state = tr("indexing · ") + state;
    const QColor dot = !root_.there ? colours.faint : busy_ ? colours.accent : colours.likely;
    painter.setPen(Qt::NoPen);
    painter.setBrush(dot);
    painter.drawEllipse(QRectF(words.left() + 0.5, height() / 2.0 + 9, 7, 7));
    painter.setPen(colours.dim);
    const QRect line = words.adjusted(14, height() / 2 + 2, 0, -12);
    draw_figures(painter, line, Qt::AlignLeft, painter.fontMetrics().elidedText(state, Qt::ElideMiddle, line.width() - 4));
}

}  // namespace imprint::gui
