// SPDX-License-Identifier: Apache-2.0
// A container's sound by sample position, whatever its packets' timestamps look like.
extern "C" {
#include <libavutil/intreadwrite.h>
}

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/media/worker/downmix.h"
#include "core/media/worker/sound_source.h"

namespace imprint::media
{
namespace
{

constexpr double kPreroll = 0.5; // seconds; codecs need some packets until they are right
constexpr double kJump = 0.05; // timestamps further off than this mean a gap, not rounding
constexpr double kSeekBack[] = {0, 5, 30};

class FfmpegSound final : public SoundSource
{
public:
    explicit FfmpegSound(std::unique_ptr<Container> container)
        : container_(std::move(container))
        , stream_(container_->sound())
    {
        if (!stream_)
            throw Error(ErrorKind::Unsupported, "", "has no sound");
        if (container_->picture())
            container_->picture()->discard = AVDISCARD_ALL;
        decoder_ = container_->open_decoder(stream_, 0);
        decoder_->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
        packet_ = new_packet();
        frame_ = new_frame();
        origin_ = container_->origin();
        // The header's rate may be half of what the decoder makes (HE-AAC): the first frame knows.
        if (!decode())
            throw_damaged("is damaged: no sound can be decoded");
    }

    int rate() const override { return rate_; }

    void seek(int64_t sample) override
    {
        if (sample >= position_ && sample - position_ < rate_) {
            drop_until(sample);
            return;
        }
        for (const double back : kSeekBack) {
            const double time = double(sample) / rate_ - kPreroll - back;
            if (time <= 0)
                break;
            if (!jump(time + origin_))
                break;
            if (!decode() || position_ <= sample) {
                drop_until(sample);
                return;
            }
        }
        // From the start it always works, if slowly.
        const double start
            = stream_->start_time != AV_NOPTS_VALUE ? stream_->start_time * av_q2d(stream_->time_base) : 0;
        if (!jump(start))
            throw_damaged("is damaged: the sound cannot be sought in");
        drop_until(sample);
    }

    int read(float* samples, int count) override
    {
        int done = 0;
        while (done < count) {
            if (silence_ == 0 && used_ == buffer_.size() && !decode())
                break;
            if (silence_ > 0) {
                const auto quiet = static_cast<int>(std::min<int64_t>(silence_, count - done));
                std::fill_n(samples + done, quiet, 0.0f);
                silence_ -= quiet;
                done += quiet;
                position_ += quiet;
                continue;
            }
            const auto taken = static_cast<int>(std::min<size_t>(buffer_.size() - used_, count - done));
            std::copy_n(buffer_.begin() + static_cast<ptrdiff_t>(used_), taken, samples + done);
            used_ += taken;
            done += taken;
            position_ += taken;
        }
        return done;
    }

private:
    bool jump(double time)
    {
        const auto stamp = static_cast<int64_t>(std::floor(time / av_q2d(stream_->time_base)));
        if (av_seek_frame(container_->context(), stream_->index, stamp, AVSEEK_FLAG_BACKWARD) < 0)
            return false;
        avcodec_flush_buffers(decoder_.get());
        draining_ = false;
        expected_.reset();
        placed_ = false;
        buffer_.clear();
        used_ = 0;
        silence_ = 0;
        return true;
    }

    void drop_until(int64_t sample)
    {
        std::vector<float> dropped(4096);
        if (!placed_ && !decode())
            return;
        if (position_ > sample) {
            silence_ += position_ - sample;
            position_ = sample;
        }
        while (position_ < sample)
            if (read(dropped.data(), static_cast<int>(std::min<int64_t>(sample - position_, 4096))) == 0)
                return;
    }

    // Decodes one frame behind what buffer_ holds. False at the end.
    bool decode()
    {
        for (;;) {
            const int received = avcodec_receive_frame(decoder_.get(), frame_.get());
            check_memory(received);
            if (received == 0) {
                if (frame_->nb_samples > 0 && frame_->sample_rate > 0 && place())
                    return true;
                continue;
            }
            if (received == AVERROR_EOF || (received != AVERROR(EAGAIN) && draining_))
                return false;
            if (!container_->read_packet(packet_.get())) {
                draining_ = true;
                avcodec_send_packet(decoder_.get(), nullptr);
                continue;
            }
            if (packet_->stream_index == stream_->index)
                check_memory(avcodec_send_packet(decoder_.get(), packet_.get()));
            av_packet_unref(packet_.get());
        }
    }

    // Puts the frame's samples where its timestamp says. False if nothing of it is heard.
    bool place()
    {
        if (rate_ == 0)
            rate_ = frame_->sample_rate;
        mono_.clear();
        downmix_.frame(frame_.get(), rate_, mono_);
        const auto length = static_cast<int64_t>(mono_.size());
        const int64_t stamp = frame_->best_effort_timestamp;
        int64_t begin = expected_.value_or(0);
        const bool fresh = !expected_;
        if (stamp != AV_NOPTS_VALUE) {
            const int64_t stated = snapped(stamp);
            if (fresh || stated > begin + std::llround(kJump * rate_))
                begin = stated;
        }
        expected_ = begin + length;
        const auto [lead, trail] = padding();
        const int64_t first = std::max({begin + lead, int64_t(0)}), last = begin + length - trail;
        if (first >= last)
            return false;
        if (buffer_.size() == used_) {
            buffer_.clear();
            used_ = 0;
            if (fresh || !placed_)
                position_ = first;
            else if (first > position_)
                silence_ = first - position_;
        }
        placed_ = true;
        buffer_.insert(buffer_.end(), mono_.begin() + (first - begin), mono_.begin() + (last - begin));
        return true;
    }

    // Samples at both ends that the encoder added. The decoder could drop them itself, but would then round the
    // timestamp of what is left to the container's clock.
    std::pair<int64_t, int64_t> padding() const
    {
        const AVFrameSideData* data = av_frame_get_side_data(frame_.get(), AV_FRAME_DATA_SKIP_SAMPLES);
        if (!data || data->size < 10)
            return {0, 0};
        const auto length = static_cast<int64_t>(mono_.size());
        const auto scaled = [&](const uint8_t* bytes) {
            return std::min(length, int64_t(AV_RL32(bytes)) * rate_ / frame_->sample_rate);
        };
        return {scaled(data->data), scaled(data->data + 4)};
    }

    // Containers that count milliseconds round each packet's time; packets of one length lie on a grid all the same.
    int64_t snapped(int64_t stamp)
    {
        const double clock = av_q2d(stream_->time_base);
        const double stated = (stamp * clock - origin_) * rate_;
        if (!grid_) {
            grid_ = stated;
            grid_step_ = static_cast<int>(mono_.size());
        }
        // A codec that states its length keeps to it; else only what rounding explains is corrected.
        const int fixed = av_get_audio_frame_duration2(stream_->codecpar, 0);
        const int step = fixed > 1 ? fixed : grid_step_;
        const double on_grid = *grid_ + std::round((stated - *grid_) / step) * step;
        const double room = fixed > 1 ? step : clock * rate_ + 1;
        return std::llround(std::abs(on_grid - stated) <= room ? on_grid : stated);
    }

    std::unique_ptr<Container> container_;
    AVStream* stream_;
    CodecPtr decoder_;
    PacketPtr packet_;
    FramePtr frame_;
    Downmix downmix_;
    double origin_ = 0;
    std::optional<double> grid_; // position of the file's first frame
    int grid_step_ = 1; // samples in it
    int rate_ = 0;
    bool draining_ = false;
    std::vector<float> buffer_, mono_;
    size_t used_ = 0;
    int64_t position_ = 0; // of the next sample that read() gives
    int64_t silence_ = 0; // samples of nothing before those in buffer_
    std::optional<int64_t> expected_; // where the next frame continues; none after a seek
    bool placed_ = false; // something was put into buffer_ since the last seek
};

} // namespace

std::unique_ptr<SoundSource> open_ffmpeg_sound(std::unique_ptr<Container> container)
{
    return std::make_unique<FfmpegSound>(std::move(container));
}

} // namespace imprint::media
