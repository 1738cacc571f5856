// SPDX-License-Identifier: Apache-2.0
// libswresample's downmix matrix, normalised; a plain average where it has none.
#include "core/media/worker/downmix.h"

extern "C" {
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
}

#include <algorithm>
#include <new>

#include "core/base/error.h"

namespace imprint::media
{
namespace
{

void average(const float* samples, int count, int channels, float* mono)
{
    for (int i = 0; i < count; ++i) {
        float sum = 0;
        for (int channel = 0; channel < channels; ++channel)
            sum += samples[size_t(i) * channels + channel];
        mono[i] = sum / channels;
    }
}

} // namespace

void Downmix::prepare(const AVChannelLayout& given, int format, int in_rate, int out_rate)
{
    const uint64_t mask = given.order == AV_CHANNEL_ORDER_NATIVE ? given.u.mask : 0;
    if (context_ && channels_ == given.nb_channels && mask_ == mask && format_ == format && in_rate_ == in_rate
        && out_rate_ == out_rate)
        return;
    channels_ = given.nb_channels;
    mask_ = mask;
    format_ = format;
    in_rate_ = in_rate;
    out_rate_ = out_rate;

    AVChannelLayout layout = {};
    if (mask)
        av_channel_layout_from_mask(&layout, mask);
    else
        av_channel_layout_default(&layout, channels_);
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    for (averaged_ = layout.order != AV_CHANNEL_ORDER_NATIVE;; averaged_ = true) {
        if (averaged_) {
            layout = {};
            layout.order = AV_CHANNEL_ORDER_UNSPEC;
            layout.nb_channels = channels_;
        }
        SwrContext* context = nullptr;
        swr_alloc_set_opts2(&context, averaged_ ? &layout : &mono, AV_SAMPLE_FMT_FLT, out_rate, &layout,
            static_cast<AVSampleFormat>(format), in_rate, 0, nullptr);
        context_.reset(context);
        if (context) {
            // Floats are not normalised of swr's own accord, and a stereo file would come out 3 dB too loud.
            av_opt_set_double(context, "rematrix_maxval", 1.0, 0);
            if (swr_init(context) >= 0)
                return;
        }
        if (averaged_) {
            context_.reset();
            throw Error(ErrorKind::Unsupported, "", "has sound of a layout that is not read");
        }
    }
}

void Downmix::interleaved(const float* samples, int count, int channels, int rate, float* mono)
{
    if (channels == 1) {
        std::copy(samples, samples + count, mono);
        return;
    }
    if (channels == 2 || channels > 8) {
        average(samples, count, channels, mono);
        return;
    }
    AVChannelLayout layout = {};
    layout.nb_channels = channels;
    prepare(layout, AV_SAMPLE_FMT_FLT, rate, rate);
    if (averaged_) {
        average(samples, count, channels, mono);
        return;
    }
    const auto* from = reinterpret_cast<const uint8_t*>(samples);
    auto* to = reinterpret_cast<uint8_t*>(mono);
    swr_convert(context_.get(), &to, count, &from, count);
}

void Downmix::frame(const AVFrame* frame, int rate, std::vector<float>& mono)
{
    prepare(frame->ch_layout, frame->format, frame->sample_rate, rate);
    const int channels = averaged_ ? channels_ : 1;
    const int room = swr_get_out_samples(context_.get(), frame->nb_samples) + 64;
    std::vector<float> converted(size_t(room) * channels);
    auto* to = reinterpret_cast<uint8_t*>(converted.data());
    const int made = std::max(0,
        swr_convert(context_.get(), &to, room, const_cast<const uint8_t**>(frame->extended_data), frame->nb_samples));
    const size_t before = mono.size();
    mono.resize(before + made);
    average(converted.data(), made, channels, mono.data() + before);
}

} // namespace imprint::media
