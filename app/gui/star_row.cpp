// SPDX-License-Identifier: Apache-2.0
// A slider to keys and screen readers, five stars to the eye.
#include "app/gui/star_row.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QSignalBlocker>
#include <QWheelEvent>
#include <algorithm>

#include "app/gui/ratings.h"
#include "app/gui/tile_painter.h"

namespace imprint::gui {
namespace {

constexpr int most = Ratings::most, side = 18, edge = 3;

}  // namespace

StarRow::StarRow(const Theme& theme, QWidget* parent) : QAbstractSlider(parent), theme_(theme)
{
    setRange(0, most);
    setSingleStep(1);
    setPageStep(1);
    setOrientation(Qt::Horizontal);
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setMouseTracking(true);
    setAccessibleName(tr("Rating"));
    setToolTip(tr("Stars: Alt+1 to Alt+5, Alt+0 takes them away"));
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(this, &QAbstractSlider::valueChanged, this, &StarRow::given);
    connect(&theme_, &Theme::changed, this, qOverload<>(&StarRow::update));
}

QSize StarRow::sizeHint() const { return {most * side + 2 * edge, side + 2 * edge}; }

void StarRow::show_stars(int stars)
{
    const QSignalBlocker quiet(this);
    setValue(stars);
    update();
}

int StarRow::star_at(int x) const { return std::clamp((x - edge) / side + 1, 1, most); }

void StarRow::paintEvent(QPaintEvent*)
{
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    const int middle = height() / 2, lit = pointed_ > 0 ? pointed_ : value();
    paint_stars(painter, edge, middle, side, most, colours.line);
    paint_stars(painter, edge, middle, side, lit, pointed_ > 0 ? colours.faint : colours.ink);
    if (!hasFocus())
        return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(colours.accent, 1.5));
    painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), metrics::control_radius / 2, metrics::control_radius / 2);
}

void StarRow::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    const int star = star_at(event->pos().x());
    pointed_ = 0;  // what is given shows at once
    setValue(star == value() ? 0 : star);
    update();
}

void StarRow::mouseMoveEvent(QMouseEvent* event)
{
    pointed_ = star_at(event->pos().x());
    update();
}

void StarRow::leaveEvent(QEvent* event)
{
    pointed_ = 0;
    update();
    QAbstractSlider::leaveEvent(event);
}

void StarRow::keyPressEvent(QKeyEvent* event)
{
    if (event->key() >= Qt::Key_0 && event->key() <= Qt::Key_0 + most && event->modifiers() == Qt::NoModifier)
        setValue(event->key() - Qt::Key_0);
    else
        QAbstractSlider::keyPressEvent(event);
}

void StarRow::wheelEvent(QWheelEvent* event) { event->ignore(); }  // who scrolls past a rating does not give one

}  // namespace imprint::gui
