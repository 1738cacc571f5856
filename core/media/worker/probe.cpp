// SPDX-License-Identifier: Apache-2.0
// What a file is: still pictures by their signature, then sound files, then whatever FFmpeg recognises.
#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/media/media.h"
#include "core/media/worker/ffmpeg.h"
#include "core/media/worker/frame_scaler.h"
#include "core/media/worker/operations.h"
#include "core/media/worker/sound_source.h"
#include "core/media/worker/vips_still.h"

namespace imprint::media
{
namespace
{

void put(protocol::Reply& reply, Kind kind, const std::string& format)
{
    reply.kind = static_cast<uint32_t>(kind);
    const size_t length = std::min(format.size(), sizeof reply.format - 1);
    std::memcpy(reply.format, format.data(), length);
}

void put_time(protocol::Reply& reply, std::optional<int64_t> taken_at)
{
    reply.has_taken_at = taken_at.has_value();
    reply.taken_at = taken_at.value_or(0);
}

void put_duration(protocol::Reply& reply, double duration, const protocol::Request& request)
{
    if (!(duration <= request.max_duration))
        throw Error(ErrorKind::LimitExceeded, "",
            "says it lasts longer than the " + std::to_string(static_cast<int64_t>(request.max_duration / 3600))
                + " hours allowed");
    reply.duration = std::max(0.0, duration);
}

void probe_container(const Input& input, const protocol::Request& request, protocol::Reply& reply)
{
    Container file(input);
    if (!file.picture()) {
        put(reply, Kind::Audio, file.format_name());
        reply.has_sound = 1;
    } else {
        put(reply, file.is_still() ? Kind::Image : Kind::Video, file.format_name());
        reply.has_sound = file.sound() != nullptr;
        const AVCodecParameters* codec = file.picture()->codecpar;
        const int64_t most = file.is_still() ? request.max_pixels : request.max_video_pixels;
        if (codec->width < 1 || codec->height < 1)
            throw_damaged("is damaged: its picture has no size");
        if (int64_t(codec->width) * codec->height > most)
            throw Error(ErrorKind::LimitExceeded, "",
                "has " + std::to_string(codec->width) + " x " + std::to_string(codec->height)
                    + " pixels, more than the " + std::to_string(most / 1'000'000) + " million allowed");
        const AVRational aspect = av_guess_sample_aspect_ratio(file.context(), file.picture(), nullptr);
        const Size size = shown_size(codec->width, codec->height, aspect, display_turn(file.picture()));
        reply.width = size.width;
        reply.height = size.height;
    }
    put_time(reply, file.taken_at());
    if (!file.is_still())
        put_duration(reply, file.duration(), request);
}

} // namespace

void probe(const Input& input, const protocol::Request& request, protocol::Reply& reply)
{
    if (const auto format = sniff_vips_still(input)) {
        const StillHeader header = read_vips_header(input, *format, request.max_pixels);
        put(reply, Kind::Image, header.format);
        reply.width = header.width;
        reply.height = header.height;
        put_time(reply, header.taken_at);
        return;
    }
    SoundHeader header;
    if (open_sndfile(input, header)) {
        put(reply, Kind::Audio, header.format);
        reply.has_sound = 1;
        put_duration(reply, header.duration, request);
        return;
    }
    probe_container(input, request, reply);
}

} // namespace imprint::media
