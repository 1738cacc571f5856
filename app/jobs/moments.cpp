// SPDX-License-Identifier: Apache-2.0
// The arithmetic of moments.
#include "app/jobs/moments.h"

#include <algorithm>
#include <cmath>

#include "core/media/media.h"

namespace imprint::jobs {

std::vector<double> frame_times(const Window& window, int max_frames)
{
    const int count = std::clamp(static_cast<int>(std::lround(window.length())), 1, std::max(1, max_frames));
    std::vector<double> times;
    for (int i = 0; i < count; ++i)
        times.push_back(window.start + window.length() * (i + 0.5) / count);
    return times;
}

std::vector<Window> sound_windows(double duration, double length)
{
    std::vector<Window> windows;
    for (double start = 0; start < duration; start = static_cast<double>(windows.size()) * length)
        windows.push_back({start, std::min(start + length, duration)});
    if (windows.size() > 1 && windows.back().length() < length / 4)
        windows.back().start = duration - length / 4;
    return windows;
}

bool silent(std::span<const float> samples)
{
    const auto slice = static_cast<size_t>(kSilenceSlice * media::kSampleRate);
    for (size_t at = 0; at < samples.size(); at += slice) {
        const auto part = samples.subspan(at, std::min(slice, samples.size() - at));
        double energy = 0;
        for (const float sample : part)
            energy += static_cast<double>(sample) * sample;
        if (std::sqrt(energy / static_cast<double>(part.size())) >= kSilenceRms)
            return false;
    }
    return true;
}

std::vector<Chunk> chunks(std::span<const Window> windows, std::span<const int> items, int max_items, double max_seconds)
{
    std::vector<Chunk> result;
    int held = 0;
    for (size_t i = 0; i < windows.size(); ++i) {
        const bool fits =
            !result.empty() && held + items[i] <= max_items && windows[i].end - windows[result.back().first].start <= max_seconds;
        if (!fits) {
            result.push_back({i, i});
            held = 0;
        }
        result.back().last = i + 1;
        held += items[i];
    }
    return result;
}

}  // namespace imprint::jobs
