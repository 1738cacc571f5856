// SPDX-License-Identifier: Apache-2.0
// Copies coded packets from one container into another: nothing is decoded, so nothing gets worse and minutes take a moment.
extern "C" {
#include <libavutil/mathematics.h>
}

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/media/worker/ffmpeg.h"
#include "core/media/worker/operations.h"
#include "core/media/worker/output.h"

namespace imprint::media {
namespace {

constexpr AVCodecID kMp4Pictures[] = {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1, AV_CODEC_ID_VP9, AV_CODEC_ID_MPEG4};
constexpr AVCodecID kMp4Sounds[] = {AV_CODEC_ID_AAC,  AV_CODEC_ID_MP3,  AV_CODEC_ID_AC3, AV_CODEC_ID_EAC3,
                                    AV_CODEC_ID_OPUS, AV_CODEC_ID_FLAC, AV_CODEC_ID_ALAC};
constexpr double kSeekBack[] = {0, 1, 5, 20};  // where a demuxer lands behind the key frame that is wanted

/// What the excerpt is written as. `exact`: players skip what had to be copied before the start.
struct Form {
    const char* muxer;
    const char* ending;
    bool exact;
};

bool pcm(const AVCodecParameters& codec) { return std::string_view(avcodec_get_name(codec.codec_id)).starts_with("pcm_"); }

Form form_of(const AVStream* picture, const AVStream* sound)
{
    const auto is_among = [](const AVStream* stream, const auto& codecs) {
        return std::find(std::begin(codecs), std::end(codecs), stream->codecpar->codec_id) != std::end(codecs);
    };
    if (picture)
        return is_among(picture, kMp4Pictures) && (!sound || is_among(sound, kMp4Sounds)) ? Form{"mp4", "mp4", true}
                                                                                          : Form{"matroska", "mkv", false};
    const AVCodecParameters& codec = *sound->codecpar;
    if (codec.codec_id == AV_CODEC_ID_MP3)
        return {"mp3", "mp3", false};
    if (codec.codec_id == AV_CODEC_ID_VORBIS || codec.codec_id == AV_CODEC_ID_OPUS)
        return {"ogg", "ogg", false};
    if (pcm(codec) && avformat_query_codec(av_guess_format("wav", nullptr, nullptr), codec.codec_id, FF_COMPLIANCE_NORMAL) == 1)
        return {"wav", "wav", true};
    return is_among(sound, kMp4Sounds) ? Form{"mp4", "m4a", true} : Form{"matroska", "mka", false};
}

/// The container that is written, in memory that grows.
class Writer {
public:
    explicit Writer(const char* muxer) : output_(kFirst)
    {
        const auto write = [](void* self, uint8_t* bytes, int count) { return static_cast<Writer*>(self)->write(bytes, count); };
        const auto seek = [](void* self, int64_t offset, int whence) { return static_cast<Writer*>(self)->seek(offset, whence); };
        auto* buffer = static_cast<unsigned char*>(av_malloc(kBuffer));
        io_ = buffer ? avio_alloc_context(buffer, kBuffer, 1, this, nullptr, write, seek) : nullptr;
        if (!io_ || avformat_alloc_output_context2(&context_, nullptr, muxer, nullptr) < 0) {
            close();
            throw std::bad_alloc();
        }
        context_->pb = io_;
        context_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;  // what FFmpeg 5 still calls FLAC in MP4
        context_->flags |=
            AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;  // no random numbers, no version: the same cut, the same bytes
    }
    ~Writer() { close(); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    AVFormatContext* context() const { return context_; }

    void check(int result) const
    {
        check_memory(result);
        if (no_room_)
            throw Error(ErrorKind::LimitExceeded, "", "no room for a clip of more than " + std::to_string(size_ >> 20) + " MiB");
        if (result < 0)
            throw Error(ErrorKind::Unsupported, "", "its coding cannot be cut without coding it anew" + ffmpeg_complaint());
    }

    int finish(uint64_t& bytes)
    {
        check(av_write_trailer(context_));
        avio_flush(io_);
        check(0);
        bytes = size_;
        output_.resize(size_);
        return output_.seal();
    }

private:
    static constexpr int kBuffer = 1 << 16;
    static constexpr size_t kFirst = size_t(4) << 20;

    // FFmpeg calls these through C: nothing may be thrown.
    int write(const uint8_t* bytes, int count)
    {
        const size_t end = at_ + static_cast<size_t>(count);
        if (end > room_) {
            try {
                output_.resize(std::max(end, 2 * room_));
            } catch (const Error&) {
                no_room_ = true;
                return AVERROR(ENOSPC);
            }
            room_ = std::max(end, 2 * room_);
        }
        std::memcpy(static_cast<uint8_t*>(output_.data()) + at_, bytes, static_cast<size_t>(count));
        at_ = end;
        size_ = std::max(size_, end);
        return count;
    }
    int64_t seek(int64_t offset, int whence)
    {
        if (whence & AVSEEK_SIZE)
            return static_cast<int64_t>(size_);
        const int from = whence & ~AVSEEK_FORCE;
        offset += from == SEEK_CUR ? static_cast<int64_t>(at_) : from == SEEK_END ? static_cast<int64_t>(size_) : 0;
        // Never past the end: memory has no holes.
        if (offset < 0 || offset > static_cast<int64_t>(size_))
            return AVERROR(EINVAL);
        at_ = static_cast<size_t>(offset);
        return offset;
    }
    void close()
    {
        avformat_free_context(context_);
        if (io_)
            av_freep(&io_->buffer);
        avio_context_free(&io_);
    }

    Output output_;
    size_t room_ = kFirst, at_ = 0, size_ = 0;
    bool no_room_ = false;
    AVIOContext* io_ = nullptr;
    AVFormatContext* context_ = nullptr;
};

class Cutter {
public:
    Cutter(const Input& input, double from, double to)
        : source_(input), origin_(source_.origin()), from_(from + origin_), to_(to + origin_),
          lead_(source_.picture() ? source_.picture() : source_.sound()), form_(form_of(source_.picture(), source_.sound())),
          writer_(form_.muxer), packet_(new_packet())
    {
        if (source_.is_still())
            throw Error(ErrorKind::Unsupported, "", "is a still image, which has no span to cut out");
        source_.context()->flags |= AVFMT_FLAG_GENPTS;  // AVI states when a frame is decoded, not when it is shown
        for (AVStream* stream : {source_.picture(), source_.sound()})
            if (stream)
                add(*stream);
    }

    int cut(protocol::Reply& reply)
    {
        begin();
        // What lies before the start is skipped by the player, or else is where the excerpt starts.
        if (!form_.exact)
            from_ = time_of(*packet_);
        writer_.check(avformat_write_header(writer_.context(), nullptr));
        do {
            write();
            av_packet_unref(packet_.get());
        } while (!all_done() && source_.read_packet(packet_.get()));
        const std::string ending = form_.ending;
        std::memcpy(reply.format, ending.data(), ending.size());
        reply.start = std::max(0.0, from_ - origin_);
        return writer_.finish(reply.sample_count);
    }

private:
    struct Track {
        AVStream* to = nullptr;
        std::optional<int64_t> last;  // decoding time of the packet before, on the source's clock
        bool done = false;
    };

    void add(const AVStream& stream)
    {
        AVStream* copy = avformat_new_stream(writer_.context(), nullptr);
        if (!copy || avcodec_parameters_copy(copy->codecpar, stream.codecpar) < 0)
            throw std::bad_alloc();
        copy->codecpar->codec_tag = 0;  // the other container has marks of its own
        copy->time_base = stream.time_base;
        copy->sample_aspect_ratio = stream.sample_aspect_ratio;
        copy->avg_frame_rate = stream.avg_frame_rate;
        for (int i = 0; i < stream.nb_side_data; ++i) {  // how the picture is turned, above all
            const AVPacketSideData& side = stream.side_data[i];
            uint8_t* data = av_stream_new_side_data(copy, side.type, side.size);
            if (!data)
                throw std::bad_alloc();
            std::memcpy(data, side.data, side.size);
        }
        tracks_[stream.index] = {copy, {}, false};
    }

    double time_of(const AVPacket& packet) const
    {
        const int64_t stamp = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
        return stamp == AV_NOPTS_VALUE ? 0 : stamp * av_q2d(source_.context()->streams[packet.stream_index]->time_base);
    }

    double length_of(const AVPacket& packet) const
    {
        return packet.duration * av_q2d(source_.context()->streams[packet.stream_index]->time_base);
    }

    /// Reads to the packet that the lead's first picture or sound can be decoded from.
    void begin()
    {
        for (const double back : kSeekBack) {
            if (from_ - back <= origin_)
                break;
            const auto stamp = static_cast<int64_t>(std::floor((from_ - back) / av_q2d(lead_->time_base)));
            if (av_seek_frame(source_.context(), lead_->index, stamp, AVSEEK_FLAG_BACKWARD) >= 0 && find_key()
                && time_of(*packet_) <= from_ + 1e-3)
                return;
        }
        const int64_t start = lead_->start_time != AV_NOPTS_VALUE ? lead_->start_time : 0;
        av_seek_frame(source_.context(), lead_->index, start, AVSEEK_FLAG_BACKWARD);  // where refused, it is read on from here
        if (!find_key())
            throw_damaged("holds nothing that can be decoded in this span");
    }

    bool find_key()
    {
        av_packet_unref(packet_.get());
        for (; source_.read_packet(packet_.get()); av_packet_unref(packet_.get())) {
            if (packet_->stream_index != lead_->index)
                continue;
            if (lead_ == source_.picture() ? (packet_->flags & AV_PKT_FLAG_KEY) != 0
                                           : time_of(*packet_) + length_of(*packet_) > from_ + 1e-6)
                return true;
        }
        return false;
    }

    bool all_done() const
    {
        return std::all_of(tracks_.begin(), tracks_.end(), [](const auto& track) { return track.second.done; });
    }

    void write()
    {
        const auto found = tracks_.find(packet_->stream_index);
        if (found == tracks_.end())
            return;
        Track& track = found->second;
        const AVStream& stream = *source_.context()->streams[packet_->stream_index];
        const bool picture = &stream == source_.picture();
        // A picture that others are made from may be shown after them.
        const double decoded = packet_->dts != AV_NOPTS_VALUE ? packet_->dts * av_q2d(stream.time_base) : time_of(*packet_);
        if ((picture ? decoded : time_of(*packet_)) >= to_ - 1e-6)
            track.done = true;
        if (track.done || (!picture && time_of(*packet_) + length_of(*packet_) <= from_ + 1e-6))
            return;
        if (!picture && form_.exact && pcm(*stream.codecpar))
            trim(stream);
        if (packet_->size == 0)
            return;
        place(track, stream);
        av_packet_rescale_ts(packet_.get(), stream.time_base, track.to->time_base);
        packet_->stream_index = track.to->index;
        packet_->pos = -1;
        writer_.check(av_interleaved_write_frame(writer_.context(), packet_.get()));
    }

    /// Uncoded sound can be cut between any two samples.
    void trim(const AVStream& stream)
    {
        const AVCodecParameters& codec = *stream.codecpar;
        const int sample = codec.ch_layout.nb_channels * av_get_bits_per_sample(codec.codec_id) / 8;
        if (sample <= 0)
            return;
        const double time = time_of(*packet_);
        const int count = packet_->size / sample;
        const auto within = [&](double at) {
            return static_cast<int>(std::clamp<int64_t>(std::llround((at - time) * codec.sample_rate), 0, count));
        };
        const int first = within(from_), last = within(to_);
        if (first >= last) {
            packet_->size = 0;
            return;
        }
        packet_->data += first * sample;
        packet_->size = (last - first) * sample;
        const int64_t skipped = av_rescale_q(first, {1, codec.sample_rate}, stream.time_base);
        packet_->pts += skipped;
        if (packet_->dts != AV_NOPTS_VALUE)
            packet_->dts += skipped;
    }

    /// Counts the packet's times from the excerpt's start and mends what containers leave out.
    void place(Track& track, const AVStream& stream)
    {
        const auto shift = static_cast<int64_t>(std::llround(from_ / av_q2d(stream.time_base)));
        if (packet_->pts == AV_NOPTS_VALUE)
            packet_->pts = packet_->dts != AV_NOPTS_VALUE ? packet_->dts : track.last ? *track.last + 1 + shift : shift;
        packet_->pts -= shift;
        if (packet_->dts != AV_NOPTS_VALUE)
            packet_->dts -= shift;
        else
            packet_->dts = track.last ? *track.last + 1
                                      : packet_->pts - stream.codecpar->video_delay * std::max<int64_t>(1, packet_->duration);
        if (track.last)
            packet_->dts = std::max(packet_->dts, *track.last + 1);
        packet_->pts = std::max(packet_->pts, packet_->dts);
        track.last = packet_->dts;
    }

    Container source_;
    const double origin_;
    double from_, to_;  // on the source's clock
    const AVStream* lead_;
    const Form form_;
    Writer writer_;
    PacketPtr packet_;
    std::map<int, Track> tracks_;  // by the source's number
};

}  // namespace

int excerpt(const Input& input, const protocol::Request& request, protocol::Reply& reply)
{
    return Cutter(input, request.from, request.to).cut(reply);
}

}  // namespace imprint::media
