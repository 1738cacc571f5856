// SPDX-License-Identifier: Apache-2.0
// FFmpeg frames of any pixel format to packed RGB of one size, upright.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/media/media.h"
#include "core/media/worker/ffmpeg.h"

struct SwsContext;

namespace imprint::media
{

/// How a stored picture is turned to be seen upright: first swapped along its diagonal, then mirrored.
struct Turn {
    bool transpose = false, mirror_x = false, mirror_y = false;
};

/// The turn that a stream's display matrix asks for, to the nearest quarter; none without a matrix.
Turn display_turn(const AVStream* stream);

/// Size as shown: stretched by the sample aspect ratio, then turned.
Size shown_size(int width, int height, AVRational sample_aspect, const Turn& turn);

class FrameScaler
{
public:
    /// `size` is the upright result.
    FrameScaler(Size size, const Turn& turn);
    ~FrameScaler();
    FrameScaler(const FrameScaler&) = delete;
    FrameScaler& operator=(const FrameScaler&) = delete;

    /// Writes size.width × size.height × 3 bytes. Frames may change size and format on the way.
    void convert(const AVFrame* frame, uint8_t* rgb);

private:
    const Size size_;
    const Turn turn_;
    SwsContext* context_ = nullptr;
    std::vector<uint8_t> scaled_; // before the turn; with alpha where the frame has it
};

} // namespace imprint::media
