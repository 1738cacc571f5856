// SPDX-License-Identifier: Apache-2.0
// Which moments a file has: where the windows of a sound lie, which frames show a span, and what counts as silence. Pure
// arithmetic; the shots of a video are found by shots.h.
#pragma once

#include <span>
#include <vector>

namespace imprint::jobs {

/// A span of a file in seconds.
struct Window {
    double start = 0, end = 0;
    double length() const { return end - start; }
    bool operator==(const Window&) const = default;
};

inline constexpr double kPictureWindow = 4.0;    ///< seconds of moving picture that one vector stands for
inline constexpr double kSilenceSlice = 0.25;    ///< seconds over which loudness is taken
inline constexpr float kSilenceRms = 0.001f;     ///< −60 dBFS

/// The middles of equal parts of the window, about one a second: 1 … max_frames times, ascending.
std::vector<double> frame_times(const Window& window, int max_frames);

/// Windows of `length` seconds that cover [0, duration]. The last is shorter; where it would be shorter than a quarter of
/// `length` (and is not the only one) it reaches back over its neighbour until it is that long.
std::vector<Window> sound_windows(double duration, double length);

/// True when no slice of kSilenceSlice seconds is as loud as kSilenceRms. Samples at media::kSampleRate.
bool silent(std::span<const float> samples);

/// Cuts a run of windows into chunks [first, last) so that each holds at least one window, as many further ones
/// as stay within `max_items` (`items[i]` is what window i counts) and `max_seconds`.
struct Chunk {
    size_t first = 0, last = 0;
};
std::vector<Chunk> chunks(std::span<const Window> windows, std::span<const int> items, int max_items, double max_seconds);

}  // namespace imprint::jobs
