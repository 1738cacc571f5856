// SPDX-License-Identifier: Apache-2.0
// Finished pictures are kept as pixmaps with their corners cut: scrolling only copies them.
#include "app/gui/tile_painter.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "app/gui/figures.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

// How much of a picture may be hidden by filling the frame with it; of one before a plain ground hardly anything, for
// drawings reach to their edges.
constexpr double most_hidden = 0.42, most_hidden_of_plain = 0.08;
constexpr double ground_of_drawing = 0.8, ground_of_picture = 0.6;  // shares of the border in one colour

/// The colour that most of the picture's border has, and how much of the border has it (0 to 1).
double edge_share(const QImage& image, QColor& colour)
{
    const int w = image.width(), h = image.height();
    std::vector<QRgb> border;
    for (int i = 0; i < 32; ++i) {
        const int x = i * (w - 1) / 31, y = i * (h - 1) / 31;
        for (const QRgb pixel : {image.pixel(x, 0), image.pixel(x, h - 1), image.pixel(0, y), image.pixel(w - 1, y)})
            border.push_back(pixel);
    }
    const auto median = [&](auto channel) {
        std::vector<int> values;
        for (const QRgb pixel : border)
            values.push_back(channel(pixel));
        std::nth_element(values.begin(), values.begin() + long(values.size() / 2), values.end());
        return values[values.size() / 2];
    };
    const int r = median([](QRgb p) { return qRed(p); }), g = median([](QRgb p) { return qGreen(p); }),
              b = median([](QRgb p) { return qBlue(p); });
    const auto near = [&](QRgb p) { return std::abs(qRed(p) - r) + std::abs(qGreen(p) - g) + std::abs(qBlue(p) - b) < 30; };
    colour = QColor(r, g, b);
    return double(std::count_if(border.begin(), border.end(), near)) / double(border.size());
}

}  // namespace

QImage framed(const QImage& image, const QSize& size)
{
    if (image.isNull() || size.isEmpty())
        return {};
    QImage out(size, QImage::Format_RGB32);
    const double picture = double(image.width()) / image.height(), frame = double(size.width()) / size.height();
    const double hidden = 1 - std::min(picture, frame) / std::max(picture, frame);
    QPainter painter(&out);
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    QColor edge;
    const double share = edge_share(image, edge);
    if (hidden <= (share > ground_of_drawing ? most_hidden_of_plain : most_hidden)) {
        const QImage scaled = image.scaled(size, Qt::KeepAspectRatioByExpanding, Qt::SmoothTransformation);
        // People stand in the upper half of tall pictures: hide more below than above.
        const int spare = scaled.height() - size.height();
        painter.drawImage(QPoint((size.width() - scaled.width()) / 2, -spare * 2 / 5), scaled);
        return out;
    }
    if (share > ground_of_picture) {
        out.fill(edge);
    } else {
        const QImage tiny = image.scaled(12, 7, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
        painter.drawImage(QRect(QPoint(0, 0), size), tiny.scaled(size, Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
        painter.fillRect(out.rect(), backdrop_shade());
    }
    const QImage scaled = image.scaled(size, Qt::KeepAspectRatio, Qt::SmoothTransformation);
    painter.drawImage(QPoint((size.width() - scaled.width()) / 2, (size.height() - scaled.height()) / 2), scaled);
    return out;
}

void paint_waveform(QPainter& painter, const QRectF& rect, const std::vector<float>& bars, const QColor& colour, double played)
{
    if (bars.empty() || rect.width() <= 0)
        return;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    // As many bars as stand clearly apart; each is the tallest of those it takes in.
    const int all = static_cast<int>(bars.size()), n = std::clamp(int(rect.width() / 4), 1, all);
    const double step = rect.width() / n, wide = std::clamp(step * 0.5, 1.5, 4.0);
    for (int i = 0; i < n; ++i) {
        const float level = *std::max_element(bars.begin() + i * all / n, bars.begin() + (i + 1) * all / n);
        QColor tint = colour;
        if ((i + 0.5) / n > played)
            tint.setAlphaF(0.4f);
        painter.setBrush(tint);
        const double tall = std::max(wide, level * rect.height());
        const QRectF bar(rect.left() + i * step + (step - wide) / 2, rect.center().y() - tall / 2, wide, tall);
        painter.drawRoundedRect(bar, wide / 2, wide / 2);
    }
    painter.restore();
}

void paint_stars(QPainter& painter, int left, int middle, int size, int stars, const QColor& colour)
{
    const QPixmap star = icon_pixmap(QStringLiteral("star"), colour, size, painter.device()->devicePixelRatioF());
    for (int i = 0; i < stars; ++i)
        painter.drawPixmap(left + i * size, middle - size / 2, star);
}

TilePainter::TilePainter(const Theme& theme) : theme_(theme), cache_(96 << 20) { }

void TilePainter::forget() { cache_.clear(); }

QPixmap TilePainter::rounded(const Thumbnail& thumbnail, const QByteArray& key, const QSize& size, qreal ratio)
{
    const QByteArray full = key + ':' + QByteArray::number(size.width()) + '@' + QByteArray::number(ratio);
    if (const QPixmap* known = cache_.object(full))
        return *known;
    const QSize pixels = size * ratio;
    const QImage picture = framed(thumbnail.image, pixels);
    QImage cut(pixels, QImage::Format_ARGB32_Premultiplied);
    cut.fill(Qt::transparent);
    QPainter painter(&cut);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QBrush(picture));
    painter.drawRoundedRect(QRectF(QPointF(0, 0), pixels), metrics::tile_radius * ratio, metrics::tile_radius * ratio);
    painter.end();
    QPixmap pixmap = QPixmap::fromImage(std::move(cut));
    pixmap.setDevicePixelRatio(ratio);
    cache_.insert(full, new QPixmap(pixmap), qsizetype(pixels.width()) * pixels.height() * 4);
    return pixmap;
}

void TilePainter::paint(QPainter& painter, const QRect& picture, const QRect& cell, const index::FileHit& hit,
                        const Thumbnail* thumbnail, const QByteArray& key, const TileState& state)
{
    const Palette& colours = theme_.colours();
    painter.setRenderHint(QPainter::Antialiasing);

    const bool pale = thumbnail && !thumbnail->image.isNull() && state.opacity >= 1;
    if (!pale) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(colours.well);
        painter.drawRoundedRect(picture, metrics::tile_radius, metrics::tile_radius);
    }
    if (thumbnail && !thumbnail->image.isNull()) {
        painter.setOpacity(state.opacity);
        painter.drawPixmap(picture.topLeft(), rounded(*thumbnail, key, picture.size(), painter.device()->devicePixelRatioF()));
        painter.setOpacity(1);
    } else if (thumbnail && !thumbnail->waveform.empty()) {
        painter.setOpacity(state.opacity);
        const QRectF room = QRectF(picture).adjusted(12, picture.height() * 0.22, -12, -picture.height() * 0.22);
        paint_waveform(painter, room, thumbnail->waveform, colours.accent, state.scrubbed >= 0 ? state.scrubbed : 1.0);
        painter.setOpacity(1);
    } else {
        const bool broken = thumbnail && !thumbnail->failure.isEmpty();
        const QString name = broken                ? QStringLiteral("warning")
            : hit.probe.kind == media::Kind::Image ? QStringLiteral("image")
            : hit.probe.kind == media::Kind::Video ? QStringLiteral("video")
                                                   : QStringLiteral("sound");
        const QPixmap mark = icon_pixmap(name, colours.faint, 24, painter.device()->devicePixelRatioF());
        painter.setOpacity(broken ? 1 : 0.5);
        painter.drawPixmap(picture.center() - QPoint(12, broken ? 22 : 12), mark);
        painter.setOpacity(1);
        if (broken) {
            painter.setFont(theme_.font(metrics::caption));
            painter.setPen(colours.dim);
            painter.drawText(picture.adjusted(12, picture.height() / 2 + 4, -12, -8),
                             Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap, thumbnail->failure);
        }
    }

    // A hairline keeps a white drawing apart from a white page.
    painter.setPen(QPen(colours.edge, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(picture).adjusted(0.5, 0.5, -0.5, -0.5), metrics::tile_radius, metrics::tile_radius);

    if (state.selected || (state.current && state.focused)) {
        QPen ring(state.selected ? colours.accent : colours.faint, 2);
        painter.setPen(ring);
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(picture).adjusted(-3, -3, 3, 3), metrics::tile_radius + 3, metrics::tile_radius + 3);
    }
    paint_badges(painter, picture, state);

    if (state.scrubbed >= 0 && hit.probe.kind == media::Kind::Video) {
        const QRectF track(picture.left() + 8, picture.bottom() - 6, picture.width() - 16, 3);
        painter.setPen(Qt::NoPen);
        painter.setBrush(colours.track);
        painter.drawRoundedRect(track, 1.5, 1.5);
        painter.setBrush(colours.accent);
        painter.drawRoundedRect(QRectF(track.left(), track.top(), track.width() * state.scrubbed, 3), 1.5, 1.5);
    }

    const QRect caption(cell.left(), picture.bottom() + 1, cell.width(), cell.bottom() - picture.bottom());
    int x = caption.left() + 1;
    if (state.banded) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme_.band(hit.band));
        painter.drawEllipse(QRectF(x, caption.center().y() - 2.5, 7, 7));
        x += 13;
    }
    painter.setFont(theme_.font(12));
    painter.setPen(state.selected ? colours.ink : colours.dim);
    constexpr int star = 11;
    const int starred = state.stars * star;
    if (starred > 0)
        paint_stars(painter, caption.right() - starred, caption.center().y(), star, state.stars, painter.pen().color());
    const QRect room(x, caption.top(), caption.right() - x - starred, caption.height() + 2);
    painter.drawText(room, Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(shown_name(hit.path), Qt::ElideMiddle, room.width() - 4));
}

void TilePainter::paint_badges(QPainter& painter, const QRect& picture, const TileState& state) const
{
    painter.setFont(theme_.font(metrics::caption, QFont::Medium));
    const QFontMetrics metrics(painter.font());
    const auto badge = [&](const QString& text, bool right, bool note) {
        if (text.isEmpty())
            return;
        const int mark = note ? 13 : 0;
        const int wide = figures_width(metrics, text) + 12 + mark, tall = 18;
        const QRect box(right ? picture.right() - 5 - wide : picture.left() + 6,
                        picture.bottom() - 6 - tall + (state.scrubbed >= 0 ? -6 : 0), wide, tall);
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme_.colours().badge);
        painter.drawRoundedRect(box, 5, 5);
        if (note)
            painter.drawPixmap(
                box.left() + 5, box.top() + 3,
                icon_pixmap(QStringLiteral("note"), theme_.colours().on_badge, 12, painter.device()->devicePixelRatioF()));
        painter.setPen(theme_.colours().on_badge);
        draw_figures(painter, box.adjusted(6 + mark, 0, -6, 0), Qt::AlignLeft, text);
    };
    badge(state.count_badge, false, false);
    badge(state.time_badge, true, state.time_is_sound);
}

}  // namespace imprint::gui
