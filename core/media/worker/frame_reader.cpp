// SPDX-License-Identifier: Apache-2.0
// Decodes forward, and seeks where a later keyframe lies before the time that is wanted.
#include "core/media/worker/frame_reader.h"

#include <algorithm>

#include "core/base/error.h"

namespace imprint::media
{
namespace
{

constexpr double kTolerance = 5e-4; // seconds; container clocks tick in milliseconds
constexpr double kBlindSeekAfter = 4.0; // without an index, seeking pays off only for a leap
constexpr double kSeekBack[] = {0, 2, 10, 60}; // a seek that lands too late is tried again so much earlier
constexpr double kSettle = 1.5; // MPEG streams stamp only some frames: right after a seek the others are guessed

} // namespace

FrameReader::FrameReader(const Input& input, const protocol::Request& request)
    : input_(input)
    , request_(request)
{
    open();
}

void FrameReader::open()
{
    decoder_.reset();
    container_ = std::make_unique<Container>(input_);
    const AVStream* stream = container_->picture();
    if (!stream || container_->is_still())
        throw Error(ErrorKind::Unsupported, "", "is not a video");
    if (int64_t(stream->codecpar->width) * stream->codecpar->height > request_.max_video_pixels)
        throw Error(ErrorKind::LimitExceeded, "",
            "has frames of " + std::to_string(stream->codecpar->width) + " x "
                + std::to_string(stream->codecpar->height) + " pixels, more than the "
                + std::to_string(request_.max_video_pixels / 1'000'000) + " million allowed");
    decoder_ = container_->open_decoder(stream, request_.max_video_pixels);
    packet_ = new_packet();
    if (container_->sound())
        container_->sound()->discard = AVDISCARD_ALL;
    origin_ = container_->origin();
    if (stream->avg_frame_rate.num > 0 && stream->avg_frame_rate.den > 0)
        step_ = std::clamp(1 / av_q2d(stream->avg_frame_rate), 1e-3, 10.0);
    draining_ = ended_ = sought_ = lost_ = false;
    current_.reset();
    ahead_.reset();
    last_time_ = -step_;
}

// Decodes one frame into ahead_. False at the end.
bool FrameReader::next()
{
    FramePtr frame = new_frame();
    const AVStream* stream = container_->picture();
    while (!ended_) {
        const int received = avcodec_receive_frame(decoder_.get(), frame.get());
        check_memory(received);
        if (received == 0) {
            // Right after a seek a decoder may lack what a frame refers to.
            if (sought_ && (frame->flags & AV_FRAME_FLAG_CORRUPT))
                continue;
            const int64_t stamp = frame->best_effort_timestamp;
            if (stamp == AV_NOPTS_VALUE && lost_)
                continue;
            lost_ = false;
            const double time
                = stamp != AV_NOPTS_VALUE ? stamp * av_q2d(stream->time_base) - origin_ : last_time_ + step_;
            last_time_ = time;
            ahead_ = Shown{std::move(frame), time};
            return true;
        }
        if (received == AVERROR_EOF || (received != AVERROR(EAGAIN) && draining_)) {
            ended_ = true;
            break;
        }
        if (!container_->read_packet(packet_.get())) {
            draining_ = true;
            avcodec_send_packet(decoder_.get(), nullptr);
            continue;
        }
        // A damaged packet costs its own frames only, so the decoder's complaint about it is no failure.
        if (packet_->stream_index == stream->index)
            check_memory(avcodec_send_packet(decoder_.get(), packet_.get()));
        av_packet_unref(packet_.get());
    }
    return false;
}

// Makes current_ the frame shown at `time`. False if decoding began later than that.
bool FrameReader::advance_to(double time)
{
    while (!(ahead_ && ahead_->time > time + kTolerance)) {
        if (ahead_)
            current_ = std::move(ahead_);
        ahead_.reset();
        if (!next())
            break;
    }
    return current_.has_value();
}

bool FrameReader::worth_seeking(double time) const
{
    AVStream* stream = container_->picture();
    const double position = ahead_ ? ahead_->time : current_ ? current_->time : 0.0;
    if (time <= position + kTolerance)
        return false;
    const double clock = av_q2d(stream->time_base);
    const int entries = avformat_index_get_entries_count(stream);
    const AVIndexEntry* last = entries > 0 ? avformat_index_get_entry(stream, entries - 1) : nullptr;
    const auto stamp = static_cast<int64_t>((time + origin_) / clock);
    const AVIndexEntry* key = avformat_index_get_entry_from_timestamp(stream, stamp, AVSEEK_FLAG_BACKWARD);
    if (key && key->timestamp * clock - origin_ > position + step_ + kTolerance)
        return true;
    const bool covered = last && last->timestamp * clock - origin_ >= time - 1;
    return !covered && time - position > kBlindSeekAfter;
}

bool FrameReader::seek(double time)
{
    AVStream* stream = container_->picture();
    // Where there is no index, a seek past the end lands nowhere.
    if (const int64_t length = container_->context()->duration; length > 0)
        time = std::min(time, length / double(AV_TIME_BASE));
    const auto stamp = static_cast<int64_t>((time + origin_) / av_q2d(stream->time_base));
    if (av_seek_frame(container_->context(), stream->index, stamp, AVSEEK_FLAG_BACKWARD) < 0)
        return false;
    avcodec_flush_buffers(decoder_.get());
    draining_ = ended_ = false;
    sought_ = lost_ = true;
    current_.reset();
    ahead_.reset();
    return true;
}

const FrameReader::Shown& FrameReader::at(double time)
{
    if (worth_seeking(time)) {
        bool found = false;
        const double settle = container_->format_name().rfind("mpeg", 0) == 0 ? kSettle : 0;
        for (const double back : kSeekBack) {
            if (time - back - settle <= 0 || !seek(time - back - settle))
                break;
            if ((found = advance_to(time)))
                break;
        }
        if (!found)
            open();
    }
    if (advance_to(time))
        return *current_;
    if (!ahead_)
        throw_damaged("is damaged: not one frame can be decoded");
    return *ahead_;
}

} // namespace imprint::media
