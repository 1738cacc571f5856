// SPDX-License-Identifier: Apache-2.0
// libswresample with a longer filter than its default, and exact phases.
#include "core/media/worker/resampler.h"

extern "C" {
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
}

#include <new>

#include "core/media/media.h"

namespace imprint::media
{

void FreeSwr::operator()(SwrContext* context) const
{
    swr_free(&context);
}

Resampler::Resampler(int rate)
{
    if (rate == kSampleRate)
        return;
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    SwrContext* context = nullptr;
    if (swr_alloc_set_opts2(&context, &mono, AV_SAMPLE_FMT_FLT, kSampleRate, &mono, AV_SAMPLE_FMT_FLT, rate, 0, nullptr)
        < 0)
        throw std::bad_alloc();
    context_.reset(context);
    av_opt_set_int(context, "filter_size", 64, 0);
    av_opt_set_double(context, "cutoff", 0.95, 0);
    av_opt_set_int(context, "exact_rational", 1, 0);
    av_opt_set_int(context, "linear_interp", 1, 0); // rates without a small ratio fall between the phases
    if (swr_init(context) < 0)
        throw std::bad_alloc();
}

void Resampler::add(const float* samples, int count, std::vector<float>& out)
{
    if (!context_) {
        out.insert(out.end(), samples, samples + count);
        return;
    }
    const auto* from = reinterpret_cast<const uint8_t*>(samples);
    const size_t before = out.size();
    const int room = swr_get_out_samples(context_.get(), count) + 64;
    out.resize(before + room);
    auto* to = reinterpret_cast<uint8_t*>(out.data() + before);
    const int made = swr_convert(context_.get(), &to, room, count > 0 ? &from : nullptr, count);
    out.resize(before + std::max(0, made));
}

} // namespace imprint::media
