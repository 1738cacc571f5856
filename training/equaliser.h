// SPDX-License-Identifier: Apache-2.0
// Makes a sound darker or brighter, as another microphone, loudspeaker or make of instrument would.
#pragma once

#include <array>
#include <span>

namespace imprint::training {

/// Bass, middle and treble, as factors.
using BandGains = std::array<float, 3>;

/// Where one band passes into the next, in Hz. By filters of first order: 6 dB an octave, and what all three factors leave alone
/// comes out as it went in.
inline constexpr std::array<double, 2> kBandEdges = {300, 2400};

/// In place; `rate` in samples a second.
void equalise(std::span<float> samples, double rate, const BandGains& gains);

}  // namespace imprint::training
