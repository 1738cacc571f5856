// SPDX-License-Identifier: Apache-2.0
// Opening containers: own I/O, an allowed list of demuxers, and the choice of streams.
#include "core/media/worker/ffmpeg.h"

extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/log.h>
}

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "core/base/error.h"
#include "core/media/worker/metadata_time.h"

namespace imprint::media
{
namespace
{

// Nothing here opens a second file: no hls, dash, concat, image2, imf, sdp, rtsp, tty …
constexpr const char* kContainers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,av1,"
                                    "obu,ivf,flv,asf,ogg,mxf,gxf,dv,rm,"
                                    "nut,wtv,vc1,vc1test,dirac,mjpeg,yuv4mpegpipe,amr,aac,ac3,eac3,dts,dtshd,truehd,"
                                    "mlp,mp3,flac,wav,w64,aiff,au,caf,ape,"
                                    "wv,tta,tak,mpc,mpc8,oma,dsf,iff,voc,xwma,loas,nistsphere";
constexpr const char* kStills = "bmp_pipe,ppm_pipe,pgm_pipe,pbm_pipe,pam_pipe,pfm_pipe,qoi_pipe,jpegxl_pipe,j2k_pipe,"
                                "psd_pipe";
constexpr const char* kPlaylists = "hls,dash,concat,image2,image2pipe,imf,sdp,rtsp,webm_dash_manifest,ffmetadata";

constexpr int kIoBuffer = 1 << 16;

// A demuxer may have several names; the first is its own.
bool listed(const std::string& names, const char* list)
{
    return av_match_name(names.substr(0, names.find(',')).c_str(), list) > 0;
}

// FFmpeg's log has no pointer for its user; the worker decodes on one thread.
thread_local char last_complaint[256] = "";

void on_log(void* object, int level, const char* format, va_list arguments)
{
    if (level > AV_LOG_ERROR)
        return;
    static_cast<void>(object);
    std::vsnprintf(last_complaint, sizeof last_complaint, format, arguments);
}

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**)
{
    return AVERROR(EACCES);
}

std::string lower(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

[[noreturn]] void throw_not_media(const Input& input)
{
    const std::string head = lower(input.head(1024));
    if (head.rfind("%pdf", 0) == 0)
        throw Error(ErrorKind::Unsupported, "", "is a PDF document, not an image, video or sound file");
    if (head.find("<svg") != std::string::npos)
        throw Error(ErrorKind::Unsupported, "", "is an SVG drawing, a kind of image that is not read");
    throw Error(ErrorKind::Unsupported, "", "is not an image, video or sound file");
}

} // namespace

void start_ffmpeg()
{
    av_log_set_level(AV_LOG_ERROR);
    av_log_set_callback(on_log);
}

std::string ffmpeg_complaint()
{
    std::string text = last_complaint;
    last_complaint[0] = '\0';
    while (!text.empty() && (text.back() == '\n' || text.back() == '.' || text.back() == ' '))
        text.pop_back();
    return text.empty() ? text : " (" + text + ")";
}

void throw_damaged(const std::string& what)
{
    const std::string complaint = ffmpeg_complaint();
    for (const char* sign : {"nsupported", "not supported", "not implemented", "Unknown pixel format"})
        if (complaint.find(sign) != std::string::npos)
            throw Error(ErrorKind::Unsupported, "", "is of a variety that is not read" + complaint);
    throw Error(ErrorKind::Malformed, "", what + complaint);
}

void check_memory(int ffmpeg_error)
{
    if (ffmpeg_error == AVERROR(ENOMEM))
        throw Error(ErrorKind::LimitExceeded, "", "needs more memory to decode than a decoder may use");
}

PacketPtr new_packet()
{
    PacketPtr packet(av_packet_alloc());
    return packet ? std::move(packet) : throw std::bad_alloc();
}

FramePtr new_frame()
{
    FramePtr frame(av_frame_alloc());
    return frame ? std::move(frame) : throw std::bad_alloc();
}

Container::Container(const Input& input)
    : input_(input)
{
    last_complaint[0] = '\0';
    const auto read = [](void* self, uint8_t* buffer, int count) -> int {
        auto* container = static_cast<Container*>(self);
        const int64_t got = container->input_.read_at(buffer, count, container->offset_);
        if (got < 0)
            return AVERROR(EIO);
        container->offset_ += got;
        return got == 0 ? AVERROR_EOF : static_cast<int>(got);
    };
    const auto seek = [](void* self, int64_t offset, int whence) -> int64_t {
        auto* container = static_cast<Container*>(self);
        switch (whence & ~AVSEEK_FORCE) {
        case AVSEEK_SIZE:
            return container->input_.size();
        case SEEK_SET:
            break;
        case SEEK_CUR:
            offset += container->offset_;
            break;
        case SEEK_END:
            offset += container->input_.size();
            break;
        default:
            return AVERROR(EINVAL);
        }
        return offset < 0 ? AVERROR(EINVAL) : container->offset_ = offset;
    };
    auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBuffer));
    io_ = buffer ? avio_alloc_context(buffer, kIoBuffer, 0, this, read, nullptr, seek) : nullptr;
    context_ = avformat_alloc_context();
    const auto close_all = [this] {
        avformat_close_input(&context_);
        if (io_)
            av_freep(&io_->buffer);
        avio_context_free(&io_);
    };
    if (!io_ || !context_) {
        close_all();
        throw std::bad_alloc();
    }
    try {
        const AVInputFormat* format = nullptr;
        const int score = av_probe_input_buffer2(io_, &format, "", nullptr, 0, 0);
        check_memory(score);
        if (score < 0 || !format)
            throw_not_media(input);
        if (listed(format->name, kPlaylists))
            throw Error(ErrorKind::Unsupported, "",
                std::string("is a playlist (") + format->name + "), which only names other files");
        is_still_ = listed(format->name, kStills);
        // A quarter of the scale is what a mere file name would be worth: too weak, as we look at the content alone.
        if (score <= AVPROBE_SCORE_RETRY || (!is_still_ && !listed(format->name, kContainers)))
            throw_not_media(input);

        context_->pb = io_;
        context_->flags |= AVFMT_FLAG_CUSTOM_IO;
        context_->io_open = refuse_to_open;
        context_->protocol_whitelist = av_strdup("");
        context_->format_whitelist = av_strdup(format->name);
        int result = avformat_open_input(&context_, "", format, nullptr);
        if (result >= 0)
            result = avformat_find_stream_info(context_, nullptr);
        check_memory(result);
        if (result < 0) {
            // Formats without a signature are guessed from a few bytes; a failure then says the guess was wrong.
            if (score < AVPROBE_SCORE_MAX / 2)
                throw_not_media(input);
            throw_damaged("is damaged: its headers cannot be read");
        }
        choose_streams();
    } catch (...) {
        close_all();
        throw;
    }
}

Container::~Container()
{
    avformat_close_input(&context_);
    av_freep(&io_->buffer);
    avio_context_free(&io_);
}

void Container::choose_streams()
{
    std::string unknown;
    const auto rank = [](const AVStream* stream) {
        const AVCodecParameters* codec = stream->codecpar;
        const int64_t size = codec->codec_type == AVMEDIA_TYPE_VIDEO ? int64_t(codec->width) * codec->height
                                                                     : codec->ch_layout.nb_channels;
        return (stream->disposition & AV_DISPOSITION_DEFAULT ? int64_t(1) << 40 : 0) + size;
    };
    for (unsigned i = 0; i < context_->nb_streams; ++i) {
        AVStream* stream = context_->streams[i];
        const AVMediaType type = stream->codecpar->codec_type;
        if ((type != AVMEDIA_TYPE_VIDEO && type != AVMEDIA_TYPE_AUDIO)
            || (stream->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)))
            continue;
        if (!avcodec_find_decoder(stream->codecpar->codec_id)) {
            unknown = avcodec_get_name(stream->codecpar->codec_id);
            continue;
        }
        AVStream*& best = type == AVMEDIA_TYPE_VIDEO ? picture_ : sound_;
        if (!best || rank(stream) > rank(best))
            best = stream;
    }
    if (!picture_ && !sound_) {
        if (!unknown.empty() && unknown != "none")
            throw Error(ErrorKind::Unsupported, "", "is coded as " + unknown + ", which is not read");
        throw_damaged("holds neither a picture nor sound");
    }
    for (unsigned i = 0; i < context_->nb_streams; ++i)
        if (AVStream* stream = context_->streams[i]; stream != picture_ && stream != sound_)
            stream->discard = AVDISCARD_ALL;
}

double Container::origin() const
{
    for (const AVStream* stream : {picture_, sound_})
        if (stream && stream->start_time != AV_NOPTS_VALUE)
            return stream->start_time * av_q2d(stream->time_base);
    return 0;
}

double Container::duration()
{
    const bool guessed = context_->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE;
    if (context_->duration <= 0 || guessed)
        return measure_duration();
    const double stated = context_->duration / double(AV_TIME_BASE);
    // Matroska states where the last block ends on its clock, which need not begin at 0.
    const bool matroska = format_name().rfind("matroska", 0) == 0;
    return matroska && origin() > 0 && origin() < stated ? stated - origin() : stated;
}

double Container::measure_duration()
{
    const PacketPtr packet = new_packet();
    const double start = origin();
    double end = start;
    while (read_packet(packet.get())) {
        const AVStream* stream = context_->streams[packet->stream_index];
        const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
        if ((stream == picture_ || stream == sound_) && time != AV_NOPTS_VALUE)
            end = std::max(end, (time + packet->duration) * av_q2d(stream->time_base));
        av_packet_unref(packet.get());
    }
    return end - start;
}

bool Container::read_packet(AVPacket* packet)
{
    // After damage some demuxers report it and find their way at the next call.
    for (int failures = 0; failures < 1000; ++failures) {
        const int result = av_read_frame(context_, packet);
        check_memory(result);
        if (result >= 0)
            return true;
        if (result == AVERROR_EOF || result == AVERROR(EIO) || avio_feof(context_->pb))
            return false;
    }
    return false;
}

std::string Container::format_name() const
{
    const std::string names = context_->iformat->name;
    const size_t first = names.find(',');
    std::string name = first == std::string::npos ? names : names.substr(0, names.find(',', first + 1));
    if (const size_t pipe = name.find("_pipe"); pipe != std::string::npos)
        name.resize(pipe);
    return name;
}

std::optional<int64_t> Container::taken_at() const
{
    for (const char* key : {"com.apple.quicktime.creationdate", "creation_time"})
        for (const AVDictionary* metadata : {context_->metadata, picture_ ? picture_->metadata : nullptr})
            if (const AVDictionaryEntry* entry = av_dict_get(metadata, key, nullptr, 0))
                if (const auto time = parse_container_time(entry->value))
                    return time;
    return std::nullopt;
}

CodecPtr Container::open_decoder(const AVStream* stream, int64_t max_pixels) const
{
    const AVCodec* codec = avcodec_find_decoder(stream->codecpar->codec_id);
    CodecPtr decoder(codec ? avcodec_alloc_context3(codec) : nullptr);
    if (!decoder)
        throw std::bad_alloc();
    check_memory(avcodec_parameters_to_context(decoder.get(), stream->codecpar));
    decoder->pkt_timebase = stream->time_base;
    decoder->thread_count = 1;
    decoder->max_pixels = max_pixels;
    const int result = avcodec_open2(decoder.get(), codec, nullptr);
    check_memory(result);
    if (result < 0)
        throw_damaged(std::string("its ") + codec->name + " decoder cannot start");
    return decoder;
}

} // namespace imprint::media
