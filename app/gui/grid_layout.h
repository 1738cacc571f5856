// SPDX-License-Identifier: Apache-2.0
// Where the tiles of a grid with headed sections lie: pure arithmetic, so that 100,000 rows cost nothing.
#pragma once

#include <QRect>
#include <utility>
#include <vector>

namespace imprint::gui {

/// Content coordinates start at (0, 0) at the top left of the scrolled area. Rows are numbered through all sections.
class GridLayout {
public:
    /// `counts`: tiles of each section, in order; a section without tiles takes no room.
    void set_sections(std::vector<int> counts);
    void set_width(int width);

    int count() const { return count_; }
    int columns() const { return columns_; }
    int height() const { return height_; }
    QSize picture_size() const { return picture_; }
    QRect cell(int row) const;  ///< picture and caption
    QRect picture(int row) const;
    QRect heading(int section) const;  ///< empty for a section without tiles
    int section_count() const { return static_cast<int>(sections_.size()); }

    int row_at(const QPoint& point) const;  ///< -1 between tiles
    /// First and last row whose cell may meet the band from `top` to `bottom`; {0, -1} when none does.
    std::pair<int, int> rows_between(int top, int bottom) const;
    /// The row reached from `row` by going `lines` lines down (negative: up), across sections, in the same column where
    /// there is one.
    int moved(int row, int lines) const;

private:
    struct Section {
        int first = 0, count = 0, top = 0, bottom = 0;  // top: of the heading
    };
    void arrange();
    int section_of(int row) const;
    int first_line_top(const Section& section) const;

    std::vector<Section> sections_;
    int count_ = 0, width_ = 0, columns_ = 1, height_ = 0, line_height_ = 1;
    QSize picture_{1, 1};
};

}  // namespace imprint::gui
