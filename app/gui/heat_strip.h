// SPDX-License-Identifier: Apache-2.0
// A whole file's relevance over time as a row of bars: click jumps there, peaks can be walked, and what is pulled out of the
// strip (or dragged with Alt) is the span that was pressed.
#pragma once

#include <QWidget>
#include <optional>
#include <vector>

#include "app/gui/theme.h"
#include "index/search.h"

namespace imprint::gui {

class HeatStrip : public QWidget {
    Q_OBJECT

public:
    explicit HeatStrip(const Theme& theme, QWidget* parent = nullptr);

    /// `moments` in any order; none gives an even strip, which still serves to jump.
    void set_file(double duration, std::vector<index::MomentHit> moments);
    void set_position(double seconds);
    /// The peak before or after `seconds` (a moment's start); none when there is none on that side.
    std::optional<double> peak_after(double seconds) const;
    std::optional<double> peak_before(double seconds) const;
    const std::vector<double>& peaks() const { return peaks_; }
    /// The best moment that holds `seconds`, else four seconds around it.
    index::Moment span_at(double seconds) const;
    /// Height of the bar at a point of time, 0 to 1.
    double level(double seconds) const;

    QSize sizeHint() const override { return {320, 50}; }

Q_SIGNALS:
    void sought(double seconds);
    void dragged(const imprint::index::Moment& span);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void find_peaks();

    const Theme& theme_;
    double duration_ = 0, position_ = 0;
    std::vector<index::MomentHit> moments_;  // in time order
    std::vector<double> peaks_;
    std::optional<double> pressed_;  // since then neither let go nor dragged away
};

}  // namespace imprint::gui
