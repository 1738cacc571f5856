// SPDX-License-Identifier: Apache-2.0
// Still pictures: libvips first, FFmpeg for the simple formats that libvips does not read from untrusted files.
#include <cstring>

#include "core/base/error.h"
#include "core/media/worker/fitting.h"
#include "core/media/worker/frame_scaler.h"
#include "core/media/worker/operations.h"
#include "core/media/worker/output.h"
#include "core/media/worker/vips_still.h"

namespace imprint::media
{
namespace
{

int ffmpeg_still(const Container& file, const protocol::Request& request, protocol::Reply& reply)
{
    const AVCodecParameters* codec = file.picture()->codecpar;
    if (int64_t(codec->width) * codec->height > request.max_pixels)
        throw Error(ErrorKind::LimitExceeded, "",
            "has " + std::to_string(codec->width) + " x " + std::to_string(codec->height) + " pixels, more than the "
                + std::to_string(request.max_pixels / 1'000'000) + " million allowed");
    const CodecPtr decoder = file.open_decoder(file.picture(), request.max_pixels);
    const PacketPtr packet = new_packet();
    const FramePtr frame = new_frame();
    int result = 0;
    while ((result = av_read_frame(file.context(), packet.get())) >= 0) {
        if (packet->stream_index == file.picture()->index)
            check_memory(avcodec_send_packet(decoder.get(), packet.get()));
        av_packet_unref(packet.get());
    }
    avcodec_send_packet(decoder.get(), nullptr);
    result = avcodec_receive_frame(decoder.get(), frame.get());
    check_memory(result);
    if (result < 0)
        throw_damaged("is damaged");
    const Size size = fitted_size(frame->width, frame->height, request);
    Output output(size_t(size.width) * size.height * 3);
    FrameScaler(size, {}).convert(frame.get(), static_cast<uint8_t*>(output.data()));
    reply.width = size.width;
    reply.height = size.height;
    reply.picture_count = 1;
    return output.seal();
}

} // namespace

int still(const Input& input, const protocol::Request& request, protocol::Reply& reply)
{
    if (const auto format = sniff_vips_still(input))
        return decode_vips_still(input, read_vips_header(input, *format, request.max_pixels), request, reply);
    const Container file(input);
    if (!file.is_still() || !file.picture())
        throw Error(ErrorKind::Unsupported, "", "is not a still image");
    return ffmpeg_still(file, request, reply);
}

} // namespace imprint::media
