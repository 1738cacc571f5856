// SPDX-License-Identifier: Apache-2.0
// A container opened by FFmpeg over the worker's descriptor: no protocols, no playlists, no other files.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/media/worker/input.h"

namespace imprint::media
{

/// Quiets FFmpeg's log and keeps its last complaint for reasons.
void start_ffmpeg();

/// What FFmpeg last complained of, in brackets with a space before; empty if nothing. Forgets it.
std::string ffmpeg_complaint();

/// Throws Malformed with `what` and FFmpeg's complaint, or Unsupported where that says so.
[[noreturn]] void throw_damaged(const std::string& what);

/// Throws LimitExceeded for ENOMEM; otherwise returns.
void check_memory(int ffmpeg_error);

struct FreePacket {
    void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeFrame {
    void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreeCodec {
    void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
using PacketPtr = std::unique_ptr<AVPacket, FreePacket>;
using FramePtr = std::unique_ptr<AVFrame, FreeFrame>;
using CodecPtr = std::unique_ptr<AVCodecContext, FreeCodec>;
PacketPtr new_packet();
FramePtr new_frame();

class Container
{
public:
    /// Throws Error: Unsupported for what is no picture, video or sound, or a kind of file that is not read; Malformed
    /// for one of a known kind that cannot be opened. The input must outlive this.
    explicit Container(const Input& input);
    ~Container();
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;

    AVFormatContext* context() const { return context_; }
    /// A single picture in a format that libvips does not read (BMP, PNM, …).
    bool is_still() const { return is_still_; }
    /// The streams worth decoding; null where there is none. Cover art is no picture stream.
    AVStream* picture() const { return picture_; }
    AVStream* sound() const { return sound_; }
    /// Seconds on the container's clock that count as 0: where the picture starts, or else the sound.
    double origin() const;
    /// From the header, or measured by reading through the file (which leaves it at its end).
    double duration();
    /// The next packet of any stream, past damage. False at the end.
    bool read_packet(AVPacket* packet);
    /// The demuxer's names, the first two: "mov,mp4", "matroska,webm", "avi".
    std::string format_name() const;
    std::optional<int64_t> taken_at() const;

    /// A single-threaded decoder for one of the streams. Throws Error(Unsupported).
    CodecPtr open_decoder(const AVStream* stream, int64_t max_pixels) const;

private:
    void choose_streams();
    double measure_duration();

    const Input& input_;
    int64_t offset_ = 0;
    AVIOContext* io_ = nullptr;
    AVFormatContext* context_ = nullptr;
    bool is_still_ = false;
    AVStream* picture_ = nullptr;
    AVStream* sound_ = nullptr;
};

} // namespace imprint::media
