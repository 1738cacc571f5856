// SPDX-License-Identifier: Apache-2.0
// Channels to one: their average; for 5.1 and the like the usual weights, scaled so that full scale stays full scale.
#pragma once

extern "C" {
#include <libavutil/frame.h>
}

#include <memory>
#include <vector>

#include "core/media/worker/resampler.h"

namespace imprint::media
{

class Downmix
{
public:
    /// `count` frames of interleaved floats to `count` mono samples.
    void interleaved(const float* samples, int count, int channels, int rate, float* mono);

    /// A decoded frame of any sample format to mono at `rate` (which differs from the frame's only where a stream
    /// changes its rate on the way). Appends.
    void frame(const AVFrame* frame, int rate, std::vector<float>& mono);

private:
    void prepare(const AVChannelLayout& layout, int format, int in_rate, int out_rate);

    std::unique_ptr<SwrContext, FreeSwr> context_;
    int channels_ = 0, format_ = -1, in_rate_ = 0, out_rate_ = 0;
    uint64_t mask_ = 0;
    bool averaged_ = false; // swr has no weights for this layout: it only converts, and we average
};

} // namespace imprint::media
