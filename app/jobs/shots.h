// SPDX-License-Identifier: Apache-2.0
// Where a video's picture changes: cuts, and stretches in which nothing moves. Fed with one frame a second, in order.
#pragma once

#include <array>
#include <vector>

#include "app/jobs/moments.h"
#include "core/media/media.h"

namespace imprint::jobs {

/// What a frame looks like from afar: enough to compare it with others, whatever their size.
struct Look {
    std::array<float, 8 * 8 * 3> tiles{};    ///< mean red, green and blue of an 8 × 8 grid, 0 … 1
    std::array<float, 4 * 4 * 4> colours{};  ///< share of the pixels in each of 64 colours
};
Look look_at(const media::Picture& picture);

/// Mean difference of the tiles, 0 … 1.
double shift(const Look& a, const Look& b);
/// Share of the pixels that have changed to another colour, 0 … 1: hardly moved by a pan, greatly by a cut.
double recolouring(const Look& a, const Look& b);

inline constexpr double kCutShift = 0.08, kCutRecolouring = 0.3;  ///< both at once are a cut
inline constexpr double kStillShift = 0.015;                      ///< less than this since a shot began is a still picture
inline constexpr double kLongestStill = 60.0;                     ///< seconds that one vector stands for where nothing moves

/// Cells of about a second that cover [0, duration]: one frame is taken from the middle of each. The last is up to twice as
/// long; a video of no length has one cell of no length.
std::vector<Window> cells(double duration);

/// Joins cells to shots. A shot ends at a cut, after kPictureWindow seconds of movement, or after kLongestStill seconds of
/// stillness; what begins still ends where movement begins.
class ShotFinder {
public:
    /// True when the frame belongs to the shot under way; false begins the next shot with it.
    bool continues(const Look& look);

private:
    Look first_, last_;
    int cells_ = 0;  ///< of the shot under way
    bool still_ = true;
};

}  // namespace imprint::jobs
