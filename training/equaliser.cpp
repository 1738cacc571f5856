// SPDX-License-Identifier: Apache-2.0
// Three complementary bands from two low-passes of first order (bilinear transform, so that nothing passes at half the rate).
#include "training/equaliser.h"

#include <cmath>
#include <numbers>

namespace imprint::training {

void equalise(std::span<float> samples, double rate, const BandGains& gains)
{
    std::array<double, 2> share{}, keep{}, below{};
    for (size_t edge = 0; edge < keep.size(); ++edge) {
        const double turn = std::tan(std::numbers::pi * kBandEdges[edge] / rate);
        share[edge] = turn / (1 + turn);
        keep[edge] = (1 - turn) / (1 + turn);
    }
    double last = 0;
    for (float& sample : samples) {
        for (size_t edge = 0; edge < keep.size(); ++edge)
            below[edge] = share[edge] * (sample + last) + keep[edge] * below[edge];
        last = sample;
        const double bass = below[0], middle = below[1] - below[0], treble = sample - below[1];
        sample = static_cast<float>(gains[0] * bass + gains[1] * middle + gains[2] * treble);
    }
}

}  // namespace imprint::training
