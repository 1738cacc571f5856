// SPDX-License-Identifier: Apache-2.0
// A hum, rain or a loop sounds the same for minutes: one vector says it. Decided by the sound alone, so that moments do not
// depend on the model and several vector spaces share them.
#pragma once

#include <array>
#include <span>

namespace imprint::jobs {

inline constexpr double kSameLevel = 1.0;       ///< dB that two stretches may differ by, on average over the spectrum
inline constexpr double kLongestRepeat = 60.0;  ///< seconds that one vector of sound stands for at most

/// What a stretch sounds like from afar: level and liveliness at 64 frequencies from 60 Hz to 7.6 kHz, evenly spaced to the
/// ear (mel), over frames of 32 ms.
struct Timbre {
    std::array<float, 64> level{};    ///< mean over the frames, dB
    std::array<float, 64> flutter{};  ///< deviation over the frames, dB
};
/// Samples at media::kSampleRate; at least one frame (512) of them.
Timbre listen(std::span<const float> samples);

/// True when both level and liveliness differ by less than kSameLevel on average.
bool sounds_the_same(const Timbre& a, const Timbre& b);

}  // namespace imprint::jobs
