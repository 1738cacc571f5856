// SPDX-License-Identifier: Apache-2.0
// Painted by hand; every action that the mouse has, the keyboard has too.
#include "app/gui/chip.h"

#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "app/gui/figures.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

constexpr int tall = 28, mark = 22, cross = 18;
constexpr double least = 0.25, most = 4;

/// The weight that goes without saying.
double usual(double weight) { return weight < 0 ? jobs::kNotWeight : 1.0; }

}  // namespace

QString typed_form(const jobs::QueryPart& part)
{
    QString words = QString::fromStdString(part.text);
    const bool negative = part.weight<0, weighted = std::abs(std::abs(part.weight) - usual(part.weight))> 1e-9;
    const QString weight = weighted ? QStringLiteral("*%1").arg(std::abs(part.weight)) : QString();
    if (part.literal || (words.contains(QLatin1Char(' ')) && (negative || weighted)))
        words = QLatin1Char('"') + words + QLatin1Char('"');
    return (negative ? QStringLiteral("-") : QString()) + words + weight;
}

Chip::Chip(const Theme& theme, jobs::QueryPart part, QWidget* parent) : QWidget(parent), theme_(theme), part_(std::move(part))
{
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setAttribute(Qt::WA_Hover);
    retell();
    connect(&theme_, &Theme::changed, this, qOverload<>(&Chip::update));
}

double Chip::strength() const { return std::abs(part_.weight) / usual(part_.weight); }

QString Chip::label() const
{
    QString text = !part_.concept_name.empty() ? tr("concept %1").arg(QString::fromStdString(part_.concept_name))
        : part_.file.empty()                   ? QString::fromStdString(part_.text)
                                               : shown_name(part_.file);
    if (part_.literal)
        text = QStringLiteral("“%1”").arg(text);
    if (!part_.file.empty() && part_.from)
        text += QLatin1Char(' ') + (part_.to ? format_span(*part_.from, *part_.to) : format_time(*part_.from));
    if (std::abs(strength() - 1) > 1e-9)
        text += QStringLiteral(" ×%1").arg(strength(), 0, 'g', 3);
    return excluded() ? QStringLiteral("− ") + text : judged() ? QStringLiteral("+ ") + text : text;
}

void Chip::retell()
{
    if (judged())
        setAccessibleName(excluded() ? tr("Less like %1").arg(label().mid(2)) : tr("More like %1").arg(label().mid(2)));
    else
        setAccessibleName(excluded() ? tr("Without %1").arg(label().mid(2)) : tr("With %1").arg(label()));
    setToolTip(part_.file.empty() ? tr("− excludes, ↑ ↓ change the weight, Delete removes") : shown_path(part_.file));
    updateGeometry();
    update();
}

void Chip::set_excluded(bool excluded)
{
    if (excluded == this->excluded())
        return;
    if (judged())
        part_.role = excluded ? jobs::QueryPart::Role::Less : jobs::QueryPart::Role::More;
    else
        part_.weight = strength() * (excluded ? -jobs::kNotWeight : 1.0);
    retell();
    Q_EMIT changed();
}

void Chip::set_strength(double strength)
{
    strength = std::clamp(strength, least, most);
    if (judged() || strength == this->strength())
        return;
    part_.weight = strength * (excluded() ? -jobs::kNotWeight : 1.0);
    retell();
    Q_EMIT changed();
}

void Chip::set_literal()
{
    part_.literal = true;
    retell();
}

void Chip::set_thumbnail(const QImage& image)
{
    const int side = std::min(image.width(), image.height());
    thumbnail_ = image.copy((image.width() - side) / 2, (image.height() - side) / 2, side, side)
                     .scaled(mark * 2, mark * 2, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
    update();
}

QSize Chip::sizeHint() const
{
    const QFontMetrics metrics(theme_.font(metrics::text, QFont::Medium));
    const int before = part_.file.empty() ? 10 : 4 + mark + 7;
    return {std::min(before + figures_width(metrics, label()) + 6 + cross + 5, 320), tall};
}

QRect Chip::close_rect() const { return {width() - cross - 5, (height() - cross) / 2, cross, cross}; }

void Chip::paintEvent(QPaintEvent*)
{
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF body = QRectF(rect()).adjusted(1, 1, -1, -1);
    const QColor ink = excluded() ? colours.bad : colours.accent_text;
    if (excluded()) {
        QPen dashed(hasFocus() ? colours.bad : colours.bad, hasFocus() ? 1.5 : 1);
        dashed.setDashPattern({3, 2.5});
        painter.setPen(dashed);
        painter.setBrush(Qt::NoBrush);
    } else {
        painter.setPen(hasFocus() ? QPen(colours.accent, 1.5) : QPen(Qt::NoPen));
        painter.setBrush(colours.accent_soft);
    }
    painter.drawRoundedRect(body, 7, 7);

    int x = 10;
    if (!part_.file.empty()) {
        const QRect picture(4, (height() - mark) / 2, mark, mark);
        if (thumbnail_.isNull()) {
            painter.drawPixmap(picture.topLeft() + QPoint(3, 3),
                               icon_pixmap(QStringLiteral("image"), ink, 16, devicePixelRatioF()));
        } else {
            QPainterPath frame;
            frame.addRoundedRect(picture, 5, 5);
            painter.save();
            painter.setClipPath(frame);
            painter.setRenderHint(QPainter::SmoothPixmapTransform);
            painter.drawImage(picture, thumbnail_);
            painter.restore();
        }
        x = picture.right() + 7;
    }
    painter.setFont(theme_.font(metrics::text, QFont::Medium));
    painter.setPen(ink);
    draw_figures(painter, QRect(x, 0, close_rect().left() - x, height()), Qt::AlignLeft, label());
    const bool near = underMouse() || hasFocus();
    painter.setOpacity(near ? 1.0 : 0.45);
    painter.drawPixmap(close_rect().topLeft() + QPoint(3, 3), icon_pixmap(QStringLiteral("close"), ink, 12, devicePixelRatioF()));
}

void Chip::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Minus:
        set_excluded(!excluded());
        return;
    case Qt::Key_Plus:
        set_excluded(false);
        return;
    case Qt::Key_Up:
        set_strength(strength() * 2);
        return;
    case Qt::Key_Down:
        set_strength(strength() / 2);
        return;
    case Qt::Key_Left:
        Q_EMIT step_wanted(-1);
        return;
    case Qt::Key_Right:
        Q_EMIT step_wanted(1);
        return;
    case Qt::Key_Delete:
    case Qt::Key_Backspace:
        Q_EMIT removed();
        return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        open_menu(mapToGlobal(rect().bottomLeft()));
        return;
    case Qt::Key_F2:
        Q_EMIT edit_wanted();
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

void Chip::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton && close_rect().adjusted(-3, -5, 5, 5).contains(event->pos()))
        Q_EMIT removed();
    else
        QWidget::mousePressEvent(event);
}

void Chip::mouseDoubleClickEvent(QMouseEvent*) { Q_EMIT edit_wanted(); }

void Chip::contextMenuEvent(QContextMenuEvent* event) { open_menu(event->globalPos()); }

void Chip::open_menu(const QPoint& global)
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const QString turned =
        judged() ? (excluded() ? tr("More like this") : tr("Less like this")) : (excluded() ? tr("Include") : tr("Exclude"));
    connect(menu->addAction(turned), &QAction::triggered, this, [this] { set_excluded(!excluded()); });
    menu->addSeparator();
    for (const double strength : {0.5, 1.0, 2.0}) {
        if (judged())
            break;
        QAction* action = menu->addAction(strength == 0.5     ? tr("Half weight")
                                              : strength == 1 ? tr("Normal weight")
                                                              : tr("Double weight"));
        action->setCheckable(true);
        action->setChecked(std::abs(this->strength() - strength) < 1e-9);
        connect(action, &QAction::triggered, this, [this, strength] { set_strength(strength); });
    }
    menu->addSeparator();
    if (is_words(part_))
        connect(menu->addAction(tr("Edit words")), &QAction::triggered, this, &Chip::edit_wanted);
    connect(menu->addAction(tr("Remove")), &QAction::triggered, this, &Chip::removed);
    menu->popup(global);
}

}  // namespace imprint::gui
