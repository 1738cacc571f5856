// SPDX-License-Identifier: Apache-2.0
// QProgressBar needs more of a style sheet than this needs lines.
#include "app/gui/progress_line.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

namespace imprint::gui {

ProgressLine::ProgressLine(const Theme& theme, QWidget* parent) : QWidget(parent), theme_(theme)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setAccessibleName(tr("Progress"));
    wander_.setInterval(40);
    connect(&wander_, &QTimer::timeout, this, [this] {
        phase_ = std::fmod(phase_ + 0.02, 2.0);
        update();
    });
    connect(&theme_, &Theme::changed, this, qOverload<>(&ProgressLine::update));
}

void ProgressLine::set_share(double share)
{
    share_ = std::min(share, 1.0);
    setAccessibleDescription(share < 0 ? QString() : tr("%1 percent").arg(std::lround(share_ * 100)));
    if (share < 0 && isVisible())
        wander_.start();
    else
        wander_.stop();
    update();
}

void ProgressLine::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const QRectF track(0, height() / 2.0 - 1.5, width(), 3);
    painter.setBrush(theme_.colours().line);
    painter.drawRoundedRect(track, 1.5, 1.5);
    painter.setBrush(theme_.colours().accent);
    if (share_ >= 0) {
        painter.drawRoundedRect(QRectF(track.left(), track.top(), track.width() * share_, 3), 1.5, 1.5);
    } else {
        const double there = phase_ < 1 ? phase_ : 2 - phase_, wide = track.width() * 0.25;
        painter.drawRoundedRect(QRectF((track.width() - wide) * there, track.top(), wide, 3), 1.5, 1.5);
    }
}

}  // namespace imprint::gui
