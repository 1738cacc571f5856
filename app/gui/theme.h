// SPDX-License-Identifier: Apache-2.0
// The one place that defines how the window looks: palette, metrics, fonts and the style sheet.
#pragma once

#include <QColor>
#include <QFont>
#include <QObject>
#include <array>

#include "index/search.h"

class QApplication;

namespace imprint::gui {

/// The tokens of one scheme. Text uses `ink` and `dim` (at least 4.5:1 on background and panel); `faint` is for marks.
struct Palette {
    bool dark = false;
    QColor background, panel, line;
    QColor ink, dim, faint;
    QColor accent, accent_soft, on_accent;
    QColor accent_text;  ///< the accent as text on its soft ground: dark enough to be read there
    QColor likely, maybe, unlikely, bad;
    QColor well;   ///< what stands where a picture is still missing, and behind a waveform
    QColor badge;  ///< behind words that lie on a picture
    QColor on_badge;
    QColor edge;                   ///< hairline around pictures
    QColor track;                  ///< behind a progress line that lies on a picture
    std::array<QColor, 8> series;  ///< of a chart, told apart on the panel also by who sees few colours
};

Palette light_palette();
Palette dark_palette();
/// Laid over a blurred backdrop, so that the picture before it stands out; the same in both schemes.
QColor backdrop_shade();

/// Sizes in device-independent pixels, in steps of 4 where nothing finer is needed.
namespace metrics {
inline constexpr int step = 4;
inline constexpr int side_bar_width = 220;
inline constexpr int preview_width = 372;
inline constexpr int status_height = 38;
inline constexpr int tile_radius = 10;
inline constexpr int control_radius = 8;
inline constexpr int tile_width = 180;  ///< the least; tiles grow to fill the row
inline constexpr int tile_gap = 16;
inline constexpr int caption_height = 24;
inline constexpr int heading_height = 36;
inline constexpr int page_margin = 20;
inline constexpr int fade_ms = 140;
inline constexpr int text = 13, title = 20, card = 14, caption = 11;
}  // namespace metrics

enum class ThemeMode { System, Light, Dark };

/// Owns the current palette and keeps the application's style sheet and QPalette in step with it. GUI thread only.
class Theme : public QObject {
    Q_OBJECT

public:
    explicit Theme(QApplication& application, ThemeMode mode = ThemeMode::System);

    const Palette& colours() const { return palette_; }
    ThemeMode mode() const { return mode_; }
    void set_mode(ThemeMode mode);
    /// The window's typeface at `pixels`.
    QFont font(int pixels = metrics::text, QFont::Weight weight = QFont::Normal) const;
    QColor band(index::Band band) const;
    QColor series(int number) const { return palette_.series[static_cast<size_t>(number) % palette_.series.size()]; }

Q_SIGNALS:
    void changed();

private:
    void apply();

    QApplication& application_;
    ThemeMode mode_;
    bool system_dark_ = false;
    Palette palette_;
    QString family_;
};

/// The style sheet with every @token replaced; exposed so that a test can see that none is left.
QString style_sheet(const Palette& palette, const QString& family);

/// WCAG contrast of two opaque colours, 1 to 21.
double contrast(const QColor& a, const QColor& b);

}  // namespace imprint::gui
