// SPDX-License-Identifier: Apache-2.0
// The whole picture is always seen; what is left of the frame is the well.
#include "app/gui/media_surface.h"

#include <QKeyEvent>
#include <QPainter>
#include <QPainterPath>

#include "app/gui/icons.h"
#include "app/gui/tile_painter.h"

namespace imprint::gui {

MediaSurface::MediaSurface(const Theme& theme, QWidget* parent) : QWidget(parent), theme_(theme)
{
    setFocusPolicy(Qt::StrongFocus);
    setAttribute(Qt::WA_Hover);
    setAccessibleName(tr("Preview"));
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    connect(&theme_, &Theme::changed, this, qOverload<>(&MediaSurface::update));
}

void MediaSurface::set_free_height(bool free)
{
    free_ = free;
    QSizePolicy policy(QSizePolicy::Expanding, free ? QSizePolicy::Expanding : QSizePolicy::Preferred);
    policy.setHeightForWidth(!free);
    setSizePolicy(policy);
    updateGeometry();
}

void MediaSurface::show_picture(const QImage& image)
{
    picture_ = image;
    fitted_ = {};
    bars_.clear();
    why_.clear();
    update();
}

void MediaSurface::show_waveform(const std::vector<float>& bars)
{
    bars_ = bars;
    picture_ = fitted_ = {};
    why_.clear();
    update();
}

void MediaSurface::show_nothing(const QString& why)
{
    picture_ = fitted_ = {};
    bars_.clear();
    why_ = why;
    update();
}

void MediaSurface::set_playable(bool playable)
{
    playable_ = playable;
    setCursor(playable ? Qt::PointingHandCursor : Qt::ArrowCursor);
    update();
}

void MediaSurface::set_playing(bool playing)
{
    playing_ = playing;
    setAccessibleDescription(!playable_ ? QString() : playing ? tr("playing") : tr("stopped"));
    update();
}

void MediaSurface::set_played(double share)
{
    played_ = share;
    if (!bars_.empty())
        update();
}

void MediaSurface::paintEvent(QPaintEvent*)
{
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    QPainterPath frame;
    frame.addRoundedRect(QRectF(rect()), metrics::tile_radius, metrics::tile_radius);
    painter.fillPath(frame, colours.well);
    if (!picture_.isNull()) {
        const QSize pixels = size() * devicePixelRatioF();
        if (fitted_.isNull() || fitted_for_ != pixels) {
            // A playing frame is scaled roughly: the next one comes soon.
            fitted_ = picture_.scaled(pixels, Qt::KeepAspectRatio, playing_ ? Qt::FastTransformation : Qt::SmoothTransformation);
            fitted_for_ = pixels;
        }
        const QSizeF shown = QSizeF(fitted_.size()) / devicePixelRatioF();
        const QRectF place((width() - shown.width()) / 2, (height() - shown.height()) / 2, shown.width(), shown.height());
        painter.save();
        painter.setClipPath(frame);
        painter.drawImage(place, fitted_);
        painter.restore();
    } else if (!bars_.empty()) {
        paint_waveform(painter, QRectF(rect()).adjusted(20, height() * 0.25, -20, -height() * 0.25), bars_, colours.accent,
                       played_);
    } else if (!why_.isEmpty()) {
        painter.setFont(theme_.font());
        painter.setPen(colours.dim);
        painter.drawText(rect().adjusted(16, 16, -16, -16), Qt::AlignCenter | Qt::TextWordWrap, why_);
    }
    if (playable_ && (!playing_ || underMouse())) {
        const QRectF disc(width() / 2.0 - 23, height() / 2.0 - 23, 46, 46);
        painter.setPen(Qt::NoPen);
        painter.setBrush(colours.badge);
        painter.drawEllipse(disc);
        painter.drawPixmap(
            QPointF(disc.left() + (playing_ ? 12 : 13), disc.top() + 12),
            icon_pixmap(playing_ ? QStringLiteral("pause") : QStringLiteral("play"), colours.on_badge, 22, devicePixelRatioF()));
    }
    if (hasFocus()) {
        painter.setPen(QPen(colours.accent, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), metrics::tile_radius, metrics::tile_radius);
    }
}

void MediaSurface::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton)
        Q_EMIT clicked();
}

void MediaSurface::mouseDoubleClickEvent(QMouseEvent*) { Q_EMIT double_clicked(); }

void MediaSurface::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Space || event->key() == Qt::Key_Return)
        Q_EMIT clicked();
    else
        QWidget::keyPressEvent(event);
}

}  // namespace imprint::gui
