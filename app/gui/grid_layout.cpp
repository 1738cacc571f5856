// SPDX-License-Identifier: Apache-2.0
// Each section is a heading and whole lines of equal cells.
#include "app/gui/grid_layout.h"

#include <algorithm>

#include "app/gui/theme.h"

namespace imprint::gui {

using namespace metrics;

void GridLayout::set_sections(std::vector<int> counts)
{
    sections_.clear();
    count_ = 0;
    for (const int count : counts) {
        sections_.push_back({count_, count, 0, 0});
        count_ += count;
    }
    arrange();
}

void GridLayout::set_width(int width)
{
    if (width == width_)
        return;
    width_ = width;
    arrange();
}

void GridLayout::arrange()
{
    const int room = std::max(tile_width, width_ - 2 * page_margin);
    columns_ = std::max(1, (room + tile_gap) / (tile_width + tile_gap));
    const int wide = (room - (columns_ - 1) * tile_gap) / columns_;
    picture_ = {wide, wide * 9 / 16};
    line_height_ = picture_.height() + caption_height + tile_gap - 4;
    int y = 0;
    for (Section& section : sections_) {
        section.top = y;
        if (section.count)
            y += heading_height + (section.count + columns_ - 1) / columns_ * line_height_;
        section.bottom = y;
    }
    height_ = y + (count_ ? page_margin : 0);
}

int GridLayout::section_of(int row) const
{
    const auto after = std::upper_bound(sections_.begin(), sections_.end(), row,
                                        [](int value, const Section& section) { return value < section.first; });
    int index = static_cast<int>(after - sections_.begin()) - 1;
    while (index > 0 && sections_[index].count == 0)
        --index;
    return index;
}

int GridLayout::first_line_top(const Section& section) const { return section.top + heading_height; }

QRect GridLayout::picture(int row) const
{
    if (row < 0 || row >= count_)
        return {};
    const Section& section = sections_[section_of(row)];
    const int at = row - section.first;
    const QPoint corner(page_margin + at % columns_ * (picture_.width() + tile_gap),
                        first_line_top(section) + at / columns_ * line_height_);
    return {corner, picture_};
}

QRect GridLayout::cell(int row) const { return picture(row).adjusted(0, 0, 0, caption_height); }

QRect GridLayout::heading(int section) const
{
    const Section& s = sections_[section];
    return s.count ? QRect(page_margin, s.top, std::max(0, width_ - 2 * page_margin), heading_height) : QRect();
}

int GridLayout::row_at(const QPoint& point) const
{
    const auto [first, last] = rows_between(point.y(), point.y());
    for (int row = first; row <= last; ++row)
        if (cell(row).contains(point))
            return row;
    return -1;
}

std::pair<int, int> GridLayout::rows_between(int top, int bottom) const
{
    int first = count_, last = -1;
    for (const Section& section : sections_) {
        if (!section.count || section.bottom < top || section.top > bottom)
            continue;
        const int lines = (section.count + columns_ - 1) / columns_;
        const int from = std::clamp((top - first_line_top(section)) / line_height_, 0, lines - 1);
        const int to = std::clamp((bottom - first_line_top(section)) / line_height_, 0, lines - 1);
        first = std::min(first, section.first + from * columns_);
        last = std::max(last, section.first + std::min(section.count, (to + 1) * columns_) - 1);
    }
    return last < 0 ? std::pair{0, -1} : std::pair{first, last};
}

int GridLayout::moved(int row, int lines) const
{
    if (count_ == 0)
        return -1;
    row = std::clamp(row, 0, count_ - 1);
    int index = section_of(row);
    int line = (row - sections_[index].first) / columns_;
    const int column = (row - sections_[index].first) % columns_;
    const int step = lines < 0 ? -1 : 1;
    for (int left = std::abs(lines); left > 0; --left) {
        const int here = (sections_[index].count + columns_ - 1) / columns_;
        if (line + step >= 0 && line + step < here) {
            line += step;
            continue;
        }
        int next = index + step;
        while (next >= 0 && next < section_count() && sections_[next].count == 0)
            next += step;
        if (next < 0 || next >= section_count())
            break;
        index = next;
        line = step > 0 ? 0 : (sections_[index].count - 1) / columns_;
    }
    const Section& section = sections_[index];
    return section.first + std::min(section.count - 1, line * columns_ + column);
}

}  // namespace imprint::gui
