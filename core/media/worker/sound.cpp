// SPDX-License-Identifier: Apache-2.0
// A range of sound at 16 kHz. The resampler starts on a grid that both rates share, some way ahead, so that a range
// gives the samples that the whole file would give there.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "core/media/media.h"
#include "core/media/worker/operations.h"
#include "core/media/worker/output.h"
#include "core/media/worker/resampler.h"
#include "core/media/worker/sound_source.h"
#include "core/media/worker/vips_still.h"

namespace imprint::media
{
namespace
{

constexpr int64_t kLeadIn = kSampleRate / 10; // longer than the filter

std::vector<float> read_range(SoundSource& source, double from, double to)
{
    const int64_t rate = source.rate();
    const int64_t shared = std::gcd<int64_t, int64_t>(rate, kSampleRate);
    const int64_t in_block = rate / shared, out_block = kSampleRate / shared;
    const int64_t first = std::llround(from * kSampleRate), last = std::llround(to * kSampleRate);
    const int64_t block = std::max<int64_t>(0, first - kLeadIn) / out_block;

    source.seek(block * in_block);
    Resampler resampler(source.rate());
    std::vector<float> made, read(8192);
    int64_t made_at = block * out_block; // position of made[0]
    while (made_at + static_cast<int64_t>(made.size()) < last) {
        const int got = source.read(read.data(), static_cast<int>(read.size()));
        resampler.add(read.data(), got, made);
        if (got == 0)
            break;
        // Only the range is kept, or a lead-in of a low shared rate would pile up.
        if (made_at < first) {
            const int64_t early = std::min<int64_t>(first - made_at, static_cast<int64_t>(made.size()));
            made.erase(made.begin(), made.begin() + early);
            made_at += early;
        }
    }
    made.erase(made.begin(),
        made.begin() + std::min<int64_t>(std::max<int64_t>(0, first - made_at), static_cast<int64_t>(made.size())));
    made.resize(std::min<size_t>(made.size(), static_cast<size_t>(last - first)));
    return made;
}

std::unique_ptr<SoundSource> open_sound(const Input& input)
{
    SoundHeader header;
    if (auto source = open_sndfile(input, header))
        return source;
    return open_ffmpeg_sound(std::make_unique<Container>(input));
}

} // namespace

int sound(const Input& input, const protocol::Request& request, protocol::Reply& reply)
{
    if (!(request.from >= 0) || !(request.to >= request.from) || request.to - request.from > protocol::kMaxSoundSeconds
        || request.to > 1e7)
        throw Error(ErrorKind::LimitExceeded, "", "has no sound that far in");
    if (sniff_vips_still(input))
        throw Error(ErrorKind::Unsupported, "", "is a still image and has no sound");
    const std::vector<float> samples = read_range(*open_sound(input), request.from, request.to);
    reply.start = request.from;
    reply.sample_count = samples.size();
    if (samples.empty())
        return -1;
    Output output(samples.size() * sizeof(float));
    auto* to = static_cast<float*>(output.data());
    for (size_t i = 0; i < samples.size(); ++i)
        to[i] = std::isfinite(samples[i]) ? std::clamp(samples[i], -1.0f, 1.0f) : 0.0f;
    return output.seal();
}

} // namespace imprint::media
