// SPDX-License-Identifier: Apache-2.0
// Draws one tile of the grid: picture or waveform with rounded corners, badges, band dot and file name.
#pragma once

#include <QCache>
#include <QPixmap>
#include <QRect>

#include "app/gui/theme.h"
#include "app/gui/thumbnails.h"
#include "index/search.h"

class QPainter;

namespace imprint::gui {

struct TileState {
    bool selected = false, current = false, focused = false;
    bool banded = true;    ///< show the band's dot
    double opacity = 1;    ///< of the picture, while it fades in
    double scrubbed = -1;  ///< 0 to 1 of the file while hovering, else negative
    QString time_badge;    ///< "12:08–12:14"; empty: none
    bool time_is_sound = false;
    QString count_badge;  ///< "5 moments"; empty: none
    int stars = 0;        ///< beside the name; 0: none
};

class TilePainter {
public:
    explicit TilePainter(const Theme& theme);

    /// `picture` and `cell` in the painter's coordinates; `thumbnail` may be null while it is still missing.
    void paint(QPainter& painter, const QRect& picture, const QRect& cell, const index::FileHit& hit, const Thumbnail* thumbnail,
               const QByteArray& key, const TileState& state);
    void forget();  ///< after a change of the tile's size or of the theme

private:
    QPixmap rounded(const Thumbnail& thumbnail, const QByteArray& key, const QSize& size, qreal ratio);
    void paint_badges(QPainter& painter, const QRect& picture, const TileState& state) const;

    const Theme& theme_;
    QCache<QByteArray, QPixmap> cache_;
};

/// Stars of `size` pixels in a row from `left` on, around the line `middle`.
void paint_stars(QPainter& painter, int left, int middle, int size, int stars, const QColor& colour);
/// `image` in a frame of `size`: filling it where that hides little of it, else whole, before a backdrop made of its
/// edges.
QImage framed(const QImage& image, const QSize& size);
/// A waveform as thin bars centred in `rect`; bars before `played` (0 to 1) in full colour, the rest paler.
void paint_waveform(QPainter& painter, const QRectF& rect, const std::vector<float>& bars, const QColor& colour,
                    double played = 1.0);

}  // namespace imprint::gui
