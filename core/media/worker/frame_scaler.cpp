// SPDX-License-Identifier: Apache-2.0
// swscale with the frame's own colour matrix and range; alpha over white; then the turn.
#include "core/media/worker/frame_scaler.h"

extern "C" {
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#include "core/base/error.h"

namespace imprint::media
{
namespace
{

int colour_matrix(const AVFrame* frame)
{
    switch (frame->colorspace) {
    case AVCOL_SPC_BT709:
        return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
        return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
        return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return SWS_CS_BT2020;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
        return SWS_CS_ITU601;
    // Unstated: what players assume, by size.
    default:
        return frame->height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
    }
}

// swscale knows full range by its own flag and warns about the old "J" formats.
AVPixelFormat without_range(AVPixelFormat format, bool& full)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P:
        full = true;
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        full = true;
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
        full = true;
        return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
        full = true;
        return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
        full = true;
        return AV_PIX_FMT_YUV411P;
    default:
        return format;
    }
}

} // namespace

Turn display_turn(const AVStream* stream)
{
    size_t bytes = 0;
    const auto* matrix
        = reinterpret_cast<const int32_t*>(av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes));
    if (!matrix || bytes < 9 * sizeof(int32_t))
        return {};
    // x' = a·x + c·y, y' = b·x + d·y
    const int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    if (std::abs(a) + std::abs(d) >= std::abs(b) + std::abs(c))
        return {false, a < 0, d < 0};
    return {true, c < 0, b < 0};
}

Size shown_size(int width, int height, AVRational sample_aspect, const Turn& turn)
{
    double wide = width;
    const double aspect = sample_aspect.num > 0 && sample_aspect.den > 0 ? av_q2d(sample_aspect) : 1.0;
    if (aspect > 0.1 && aspect < 10)
        wide *= aspect;
    Size size{std::max(1, static_cast<int>(std::lround(wide))), std::max(1, height)};
    if (turn.transpose)
        std::swap(size.width, size.height);
    return size;
}

FrameScaler::FrameScaler(Size size, const Turn& turn)
    : size_(size)
    , turn_(turn)
{
}

FrameScaler::~FrameScaler()
{
    sws_freeContext(context_);
}

void FrameScaler::convert(const AVFrame* frame, uint8_t* rgb)
{
    bool full = frame->color_range == AVCOL_RANGE_JPEG;
    const AVPixelFormat format = without_range(static_cast<AVPixelFormat>(frame->format), full);
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    if (!description || !sws_isSupportedInput(format))
        throw Error(ErrorKind::Unsupported, "", "its pixel format is not read");
    const bool alpha = (description->flags & AV_PIX_FMT_FLAG_ALPHA) != 0 || format == AV_PIX_FMT_PAL8;
    const int channels = alpha ? 4 : 3;
    const int width = turn_.transpose ? size_.height : size_.width;
    const int height = turn_.transpose ? size_.width : size_.height;

    context_ = sws_getCachedContext(context_, frame->width, frame->height, format, width, height,
        alpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr,
        nullptr, nullptr);
    if (!context_)
        throw Error(ErrorKind::LimitExceeded, "", "has frames that cannot be scaled" + ffmpeg_complaint());
    // Refused for inputs that are RGB already, which need no matrix.
    sws_setColorspaceDetails(context_, sws_getCoefficients(colour_matrix(frame)), full,
        sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    // swscale may write whole vectors past a row's end.
    const int stride = (width * channels + 63) / 64 * 64;
    scaled_.resize(size_t(stride) * height + 64);
    uint8_t* planes[4] = {scaled_.data(), nullptr, nullptr, nullptr};
    const int strides[4] = {stride, 0, 0, 0};
    const int rows = sws_scale(context_, frame->data, frame->linesize, 0, frame->height, planes, strides);
    check_memory(rows);
    if (rows < 0)
        throw_damaged("has frames that cannot be scaled");

    for (int y = 0; y < size_.height; ++y) {
        for (int x = 0; x < size_.width; ++x) {
            int from_x = turn_.mirror_x ? size_.width - 1 - x : x;
            int from_y = turn_.mirror_y ? size_.height - 1 - y : y;
            if (turn_.transpose)
                std::swap(from_x, from_y);
            const uint8_t* from = scaled_.data() + size_t(from_y) * stride + size_t(from_x) * channels;
            for (int channel = 0; channel < 3; ++channel)
                *rgb++ = alpha ? static_cast<uint8_t>((from[channel] * from[3] + 255 * (255 - from[3]) + 127) / 255)
                               : from[channel];
        }
    }
}

} // namespace imprint::media
