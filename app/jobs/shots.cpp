// SPDX-License-Identifier: Apache-2.0
// Frames compared from afar.
#include "app/jobs/shots.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace imprint::jobs {

Look look_at(const media::Picture& picture)
{
    IMPRINT_ASSERT(picture.width > 0 && picture.height > 0);
    Look look;
    std::array<int, 64> counts{};
    const uint8_t* pixel = picture.rgb.data();
    for (int y = 0; y < picture.height; ++y)
        for (int x = 0; x < picture.width; ++x, pixel += 3) {
            const int tile = y * 8 / picture.height * 8 + x * 8 / picture.width;
            for (int c = 0; c < 3; ++c)
                look.tiles[static_cast<size_t>(tile * 3 + c)] += pixel[c];
            look.colours[static_cast<size_t>((pixel[0] >> 6) * 16 + (pixel[1] >> 6) * 4 + (pixel[2] >> 6))] += 1;
            ++counts[static_cast<size_t>(tile)];
        }
    for (size_t i = 0; i < look.tiles.size(); ++i)
        look.tiles[i] /= 255.0f * static_cast<float>(std::max(1, counts[i / 3]));
    for (float& share : look.colours)
        share /= static_cast<float>(picture.width) * static_cast<float>(picture.height);
    return look;
}

double shift(const Look& a, const Look& b)
{
    double sum = 0;
    for (size_t i = 0; i < a.tiles.size(); ++i)
        sum += std::abs(a.tiles[i] - b.tiles[i]);
    return sum / static_cast<double>(a.tiles.size());
}

double recolouring(const Look& a, const Look& b)
{
    double sum = 0;
    for (size_t i = 0; i < a.colours.size(); ++i)
        sum += std::abs(a.colours[i] - b.colours[i]);
    return sum / 2;
}

std::vector<Window> cells(double duration)
{
    const int count = std::max(1, static_cast<int>(duration));
    std::vector<Window> cells;
    for (int i = 0; i < count; ++i)
        cells.push_back({static_cast<double>(i), i + 1 < count ? i + 1.0 : std::max<double>(i, duration)});
    return cells;
}

bool ShotFinder::continues(const Look& look)
{
    const bool cut = cells_ > 0 && shift(last_, look) > kCutShift && recolouring(last_, look) > kCutRecolouring;
    const bool still = still_ && cells_ > 0 && shift(first_, look) < kStillShift;
    const bool room = cells_ < (still ? kLongestStill : kPictureWindow);
    // A long still shot that begins to move would hide the movement among its frames.
    const bool awakes = still_ && !still && cells_ >= kPictureWindow;
    const bool goes_on = cells_ > 0 && !cut && room && !awakes;
    if (!goes_on) {
        first_ = look;
        cells_ = 0;
    }
    still_ = goes_on ? still : true;
    last_ = look;
    ++cells_;
    return goes_on;
}

}  // namespace imprint::jobs
