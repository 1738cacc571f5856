// SPDX-License-Identifier: Apache-2.0
// Mono sound of any rate to kSampleRate.
#pragma once

#include <memory>
#include <vector>

struct SwrContext;

namespace imprint::media
{

struct FreeSwr {
    void operator()(SwrContext* context) const;
};

class Resampler
{
public:
    /// Filter: 64 zero crossings a side of the lower rate, Kaiser window, flat to 7.5 kHz, stop band more than 80 dB
    /// down.
    explicit Resampler(int rate);

    /// Appends what `count` more samples make ready; with count 0, what is left in the filter.
    void add(const float* samples, int count, std::vector<float>& out);

private:
    std::unique_ptr<SwrContext, FreeSwr> context_; // null at kSampleRate
};

} // namespace imprint::media
