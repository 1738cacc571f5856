// SPDX-License-Identifier: Apache-2.0
// A hundred steps from the strictest score to the loosest.
#include "app/gui/cut_slider.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <limits>

namespace imprint::gui {
namespace {

constexpr int steps = 100, edge = 8;

int step_of(float score)
{
    return std::clamp(int(std::lround((CutSlider::strictest - score) / (CutSlider::strictest - CutSlider::loosest) * steps)), 0,
                      steps);
}

}  // namespace

CutSlider::CutSlider(const Theme& theme, QWidget* parent) : QAbstractSlider(parent), theme_(theme)
{
    setRange(0, steps);
    setSingleStep(2);
    setPageStep(10);
    setOrientation(Qt::Horizontal);
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setAccessibleName(tr("Where the cut falls"));
    setToolTip(tr("Further right shows less likely results. Double-click for the usual cut."));
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    set_cut(index::Cut().maybe);
    connect(&theme_, &Theme::changed, this, qOverload<>(&CutSlider::update));
}

float CutSlider::cut() const
{
    if (value() == steps)
        return -std::numeric_limits<float>::infinity();
    if (value() == step_of(index::Cut().maybe))
        return index::Cut().maybe;  // exactly: rounding must not move the usual cut
    if (value() == step_of(index::Cut().likely))
        return index::Cut().likely;
    return strictest - (strictest - loosest) * float(value()) / steps;
}

void CutSlider::set_cut(float score) { setValue(step_of(score)); }

int CutSlider::x_of(int value) const { return edge + (width() - 2 * edge) * value / steps; }

void CutSlider::go_to(int x)
{
    int value = std::clamp(int(std::lround(double(x - edge) / std::max(1, width() - 2 * edge) * steps)), 0, steps);
    for (const int notch : {step_of(index::Cut().likely), step_of(index::Cut().maybe)})
        if (std::abs(value - notch) <= 2)
            value = notch;
    setValue(value);
}

void CutSlider::paintEvent(QPaintEvent*)
{
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const double y = height() / 2.0;
    const auto stretch = [&](int from, int to, const QColor& colour) {
        if (to <= from)
            return;
        painter.setBrush(colour);
        painter.drawRoundedRect(QRectF(from, y - 1.5, to - from, 3), 1.5, 1.5);
    };
    const int handle = x_of(value()), likely = x_of(step_of(index::Cut().likely)), maybe = x_of(step_of(index::Cut().maybe));
    stretch(x_of(0), x_of(steps), colours.line);
    stretch(std::max(x_of(0), maybe), handle, colours.unlikely);
    stretch(likely, std::min(handle, maybe), colours.maybe);
    stretch(x_of(0), std::min(handle, likely), colours.likely);
    painter.setPen(QPen(colours.accent, 2));
    painter.setBrush(hasFocus() ? colours.accent_soft : colours.background);
    painter.drawEllipse(QPointF(handle, y), 6, 6);
}

void CutSlider::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton)
        go_to(event->pos().x());
}

void CutSlider::mouseMoveEvent(QMouseEvent* event)
{
    if (event->buttons() & Qt::LeftButton)
        go_to(event->pos().x());
}

void CutSlider::mouseDoubleClickEvent(QMouseEvent*) { set_cut(index::Cut().maybe); }

}  // namespace imprint::gui
