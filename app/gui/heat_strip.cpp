// SPDX-License-Identifier: Apache-2.0
// Scores are calibrated, so the same height means the same in every file.
#include "app/gui/heat_strip.h"

#include <QApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <utility>

#include "app/gui/figures.h"

namespace imprint::gui {
namespace {

constexpr double alone_seconds = 4;  // of a span where no moment is
constexpr double bar_step = 4, bar_width = 2.6, bars_tall = 28, least_tall = 4;

double height_of(float score) { return std::clamp((score + 1.0) / 7.0, 0.0, 1.0); }

QColor blend(const QColor& a, const QColor& b, double t)
{
    const auto mix = [t](int x, int y) { return int(std::lround(x + (y - x) * t)); };
    return QColor(mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue()));
}

}  // namespace

HeatStrip::HeatStrip(const Theme& theme, QWidget* parent) : QWidget(parent), theme_(theme)
{
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setMouseTracking(true);
    setAccessibleName(tr("Relevance over the whole file"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setMinimumHeight(50);
    connect(&theme_, &Theme::changed, this, qOverload<>(&HeatStrip::update));
}

void HeatStrip::set_file(double duration, std::vector<index::MomentHit> moments)
{
    duration_ = duration;
    position_ = 0;
    moments_ = std::move(moments);
    std::erase_if(moments_, [](const index::MomentHit& hit) { return !hit.moment.start || !hit.moment.end; });
    std::sort(moments_.begin(), moments_.end(),
              [](const index::MomentHit& a, const index::MomentHit& b) { return *a.moment.start < *b.moment.start; });
    find_peaks();
    update();
}

void HeatStrip::find_peaks()
{
    peaks_.clear();
    for (size_t i = 0; i < moments_.size(); ++i) {
        const auto& here = moments_[i];
        if (here.band == index::Band::Unlikely)
            continue;
        const auto beaten_by = [&](const index::MomentHit& other) {
            const bool touches = *other.moment.start <= *here.moment.end + 1 && *other.moment.end + 1 >= *here.moment.start;
            return touches && other.score > here.score;
        };
        const size_t from = i > 4 ? i - 4 : 0, to = std::min(moments_.size(), i + 5);
        if (std::any_of(moments_.begin() + long(from), moments_.begin() + long(to), beaten_by))
            continue;
        const double start = *here.moment.start;
        if (!peaks_.empty() && start - peaks_.back() < 0.5)  // picture and sound of one moment are one peak
            continue;
        peaks_.push_back(start);
    }
}

void HeatStrip::set_position(double seconds)
{
    position_ = seconds;
    update();
}

std::optional<double> HeatStrip::peak_after(double seconds) const
{
    const auto at = std::find_if(peaks_.begin(), peaks_.end(), [&](double peak) { return peak > seconds + 0.25; });
    return at == peaks_.end() ? std::nullopt : std::optional(*at);
}

std::optional<double> HeatStrip::peak_before(double seconds) const
{
    // A second of grace: while it plays, pressing twice goes back twice.
    const auto at = std::find_if(peaks_.rbegin(), peaks_.rend(), [&](double peak) { return peak < seconds - 1.0; });
    return at == peaks_.rend() ? std::nullopt : std::optional(*at);
}

double HeatStrip::level(double seconds) const
{
    double best = 0;
    for (const auto& hit : moments_)
        if (*hit.moment.start <= seconds && seconds < std::max(*hit.moment.end, *hit.moment.start + 0.01))
            best = std::max(best, height_of(hit.score));
    return best;
}

void HeatStrip::paintEvent(QPaintEvent*)
{
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const int n = std::max(1, int(width() / bar_step));
    const QColor low = blend(colours.panel, colours.accent, colours.dark ? 0.38 : 0.35);
    for (int i = 0; i < n; ++i) {
        double tall = 0;
        if (duration_ > 0)  // a bar stands for the best of what it covers
            for (int part = 0; part < 3; ++part)
                tall = std::max(tall, level((i + (part + 0.5) / 3) / n * duration_));
        painter.setBrush(blend(low, colours.accent, std::clamp((tall - 0.35) / 0.4, 0.0, 1.0)));
        const double pixels = least_tall + tall * (bars_tall - least_tall);
        painter.drawRoundedRect(QRectF(i * bar_step, bars_tall - pixels, bar_width, pixels), 1.2, 1.2);
    }
    if (duration_ > 0) {
        const double x = position_ / duration_ * (width() - 2);
        painter.setBrush(colours.ink);
        painter.drawRoundedRect(QRectF(x, 0, 2, bars_tall + 2), 1, 1);
    }
    painter.setFont(theme_.font(metrics::caption));
    painter.setPen(colours.dim);
    const QRect times(0, int(bars_tall) + 4, width(), height() - int(bars_tall) - 4);
    draw_figures(painter, times, Qt::AlignLeft, format_time(0));
    draw_figures(painter, times, Qt::AlignHCenter, format_time(duration_ < 1 ? position_ : std::floor(position_)));
    draw_figures(painter, times, Qt::AlignRight, format_time(duration_));
    if (hasFocus()) {
        painter.setPen(QPen(colours.accent, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
}

void HeatStrip::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || duration_ <= 0 || width() <= 0)
        return;
    pressed_ = std::clamp(double(event->pos().x()) / width(), 0.0, 1.0) * duration_;
    if (!(event->modifiers() & Qt::AltModifier))
        Q_EMIT sought(*pressed_);
}

void HeatStrip::mouseReleaseEvent(QMouseEvent*) { pressed_.reset(); }

index::Moment HeatStrip::span_at(double seconds) const
{
    const index::MomentHit* best = nullptr;
    for (const auto& hit : moments_)
        if (*hit.moment.start <= seconds && seconds < *hit.moment.end && (!best || hit.score > best->score))
            best = &hit;
    if (best)
        return best->moment;
    const double start = std::clamp(seconds - alone_seconds / 2, 0.0, std::max(0.0, duration_ - alone_seconds));
    return {Modality::Picture, start, std::min(duration_, start + alone_seconds)};
}

void HeatStrip::mouseMoveEvent(QMouseEvent* event)
{
    if (duration_ <= 0 || width() <= 0)
        return;
    const double at = std::clamp(double(event->pos().x()) / width(), 0.0, 1.0) * duration_;
    setToolTip(format_time(at));
    if (!(event->buttons() & Qt::LeftButton))
        return;
    const int out = std::max(-event->pos().y(), event->pos().y() - height());
    if (out > QApplication::startDragDistance() || event->modifiers() & Qt::AltModifier) {
        if (const auto from = std::exchange(pressed_, std::nullopt))
            Q_EMIT dragged(span_at(*from));
    } else if (pressed_) {
        Q_EMIT sought(at);
    }
}

void HeatStrip::keyPressEvent(QKeyEvent* event)
{
    const double step = std::max(1.0, duration_ / 50);
    if (event->key() == Qt::Key_Left)
        Q_EMIT sought(std::max(0.0, position_ - step));
    else if (event->key() == Qt::Key_Right)
        Q_EMIT sought(std::min(duration_, position_ + step));
    else
        QWidget::keyPressEvent(event);
}

}  // namespace imprint::gui
