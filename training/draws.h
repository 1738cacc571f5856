// SPDX-License-Identifier: Apache-2.0
// Counter-based randomness: every number is a pure function of where it is asked for, so a resumed run needs no replay.
#pragma once

#include <cstdint>

#include "core/base/error.h"

namespace imprint::training {

/// A stream of numbers named by (seed, step, purpose). Equal names give equal streams, whatever else was drawn.
class Draws {
public:
    Draws(uint64_t seed, uint64_t step, uint64_t purpose) : state_(mix(mix(mix(seed) ^ step) ^ purpose)) {}

    uint64_t bits() { return mix(state_ += 0x9e3779b97f4a7c15ull); }
    /// Uniform in [0, 1).
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    double between(double low, double high) { return low + (high - low) * uniform(); }
    /// Uniform in 0 … n − 1.
    int64_t below(int64_t n)
    {
        IMPRINT_ASSERT(n > 0);
        // 53 bits against list sizes below 2^31: the bias is far below what any run could see.
        return static_cast<int64_t>(uniform() * static_cast<double>(n));
    }

private:
    // The finaliser of splitmix64 (Steele, Lea & Flood 2014).
    static uint64_t mix(uint64_t x)
    {
        x += 0x9e3779b97f4a7c15ull;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
        return x ^ (x >> 31);
    }

    uint64_t state_;
};

}  // namespace imprint::training
