// SPDX-License-Identifier: Apache-2.0
// Painted by hand so that figures stand in columns and focus shows as one thin ring.
#include "app/gui/side_rows.h"

#include <QMenu>
#include <QPainter>

#include "app/gui/figures.h"
#include "app/gui/icons.h"

namespace imprint::gui {
namespace {

void focus_ring(QPainter& painter, const QWidget& widget, const Palette& colours)
{
    if (!widget.hasFocus())
        return;
    painter.setPen(QPen(colours.accent, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(widget.rect()).adjusted(0.5, 0.5, -0.5, -0.5), metrics::control_radius,
                            metrics::control_radius);
}

}  // namespace

PageRow::PageRow(const Theme& theme, const QString& text, const QString& icon, const QString& hint, QWidget* parent)
    : QAbstractButton(parent), theme_(theme), icon_(icon), hint_(hint)
{
    setText(text);
    setAccessibleName(text);
    setCheckable(true);
    setAutoExclusive(true);
    setCursor(Qt::PointingHandCursor);
    setFocusPolicy(Qt::TabFocus);
    setAttribute(Qt::WA_Hover);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme_, &Theme::changed, this, qOverload<>(&PageRow::update));
}

void PageRow::paintEvent(QPaintEvent*)
{
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    if (isChecked() || underMouse()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(isChecked() ? colours.accent_soft : colours.background);
        painter.drawRoundedRect(rect(), metrics::control_radius, metrics::control_radius);
    }
    const QColor ink = isChecked() ? colours.accent_text : colours.dim;
    painter.drawPixmap(10, (height() - 16) / 2, icon_pixmap(icon_, ink, 16, devicePixelRatioF()));
    painter.setFont(theme_.font(metrics::text, isChecked() ? QFont::DemiBold : QFont::Normal));
    painter.setPen(ink);
    painter.drawText(rect().adjusted(36, 0, -44, 0), Qt::AlignVCenter, text());
    painter.setFont(theme_.font(metrics::caption + 1));
    draw_figures(painter, rect().adjusted(0, 0, -10, 0), Qt::AlignRight, hint_);
    focus_ring(painter, *this, colours);
}

FilterRow::FilterRow(const Theme& theme, const QString& text, QWidget* parent) : QAbstractButton(parent), theme_(theme)
{
    setText(text);
    setAccessibleName(text);
    setCheckable(true);
    setChecked(true);
    setCursor(Qt::PointingHandCursor);
    setFocusPolicy(Qt::TabFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme_, &Theme::changed, this, qOverload<>(&FilterRow::update));
}

void FilterRow::set_detail(const QString& detail)
{
    if (detail == detail_)
        return;
    detail_ = detail;
    setAccessibleDescription(detail);
    update();
}

void FilterRow::paintEvent(QPaintEvent*)
{
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF box(10, (height() - 14) / 2.0, 14, 14);
    if (isChecked()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(colours.accent);
        painter.drawRoundedRect(box, 4, 4);
        painter.drawPixmap(QPointF(box.left() + 1, box.top() + 1),
                           icon_pixmap(QStringLiteral("check"), colours.on_accent, 12, devicePixelRatioF()));
    } else {
        painter.setPen(QPen(colours.faint, 1.2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
    painter.setFont(theme_.font(12));
    const int wide = figures_width(painter.fontMetrics(), detail_);
    painter.setPen(colours.dim);
    draw_figures(painter, rect().adjusted(0, 0, -10, 0), Qt::AlignRight, detail_);
    painter.setFont(theme_.font(metrics::text));
    painter.setPen(colours.ink);
    const QRect room = rect().adjusted(34, 0, -18 - wide, 0);
    painter.drawText(room, Qt::AlignVCenter, painter.fontMetrics().elidedText(text(), Qt::ElideMiddle, room.width()));
    focus_ring(painter, *this, colours);
}

MenuRow::MenuRow(const Theme& theme, const QString& text, QWidget* parent) : QAbstractButton(parent), theme_(theme)
{
    setText(text);
    setCursor(Qt::PointingHandCursor);
    setFocusPolicy(Qt::TabFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(this, &QAbstractButton::clicked, this, [this] {
        if (menu_)
            menu_->popup(mapToGlobal(rect().bottomLeft()));
    });
    connect(&theme_, &Theme::changed, this, qOverload<>(&MenuRow::update));
}

void MenuRow::paintEvent(QPaintEvent*)
{
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(theme_.font());
    painter.setPen(colours.ink);
    painter.drawText(rect().adjusted(10, 0, -28, 0), Qt::AlignVCenter, text());
    painter.drawPixmap(width() - 22, (height() - 12) / 2,
                       icon_pixmap(QStringLiteral("chevron-down"), colours.dim, 12, devicePixelRatioF()));
    focus_ring(painter, *this, colours);
}

}  // namespace imprint::gui
