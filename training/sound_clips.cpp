// SPDX-License-Identifier: Apache-2.0
// Loads sounds and augments them in the time domain.
#include "training/sound_clips.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "core/base/error.h"

namespace imprint::training {

SoundClips::SoundClips(const Corpus& corpus, double seconds, media::Decoder& decoder,
                       const std::function<void(const std::string&)>& log, const CancelToken& cancel)
    : samples_(corpus.items().size())
{
    std::atomic<size_t> next{0};
    const auto decode = [&] {
        for (size_t i = next++; i < samples_.size(); i = next++) {
            const Item& item = corpus.items()[i];
            if (!item.sound || cancel.cancelled())
                continue;
            try {
                samples_[i] = decoder.sound(item.path, 0, seconds, cancel).samples;
            } catch (const Error& error) {
                log(std::string("left out: ") + error.what());
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        for (unsigned t = 0; t < std::max(2u, std::thread::hardware_concurrency()); ++t)
            threads.emplace_back(decode);
    }
    cancel.check();
    for (size_t i = 0; i < samples_.size(); ++i)
        if (!samples_[i].empty())
            with_sound_.push_back(i);
}

std::vector<float> SoundClips::draw(size_t item, size_t most, Draws& draws) const
{
    const auto& source = samples_[item];
    // A change of speed by resampling moves pitch and tempo together, as a bigger or smaller source would.
    const double speed = std::exp(draws.between(-0.12, 0.12));
    const auto length = std::min(most, std::max<size_t>(1, static_cast<size_t>(static_cast<double>(source.size()) / speed)));
    const auto span = static_cast<double>(length) * speed;
    const double slack = std::max(0.0, static_cast<double>(source.size()) - span);
    const double begin = draws.uniform() * slack;
    const auto gain = static_cast<float>(std::exp(draws.between(-1.2, 0.5)));
    std::vector<float> window(length);
    for (size_t i = 0; i < length; ++i) {
        const double place = begin + static_cast<double>(i) * speed;
        const auto left = std::min(static_cast<size_t>(place), source.size() - 1), right = std::min(left + 1, source.size() - 1);
        const auto share = static_cast<float>(place - std::floor(place));
        window[i] = gain * (source[left] * (1 - share) + source[right] * share);
    }
    if (draws.uniform() < 0.3) {
        const auto& other = samples_[with_sound_[static_cast<size_t>(draws.below(static_cast<int64_t>(with_sound_.size())))]];
        const auto faint = gain * static_cast<float>(draws.between(0.03, 0.25));
        const size_t start = static_cast<size_t>(draws.below(static_cast<int64_t>(other.size())));
        for (size_t i = 0; i < length && start + i < other.size(); ++i)
            window[i] += faint * other[start + i];
    }
    return window;
}

std::vector<float> SoundClips::head(size_t item, size_t most) const
{
    const auto& source = samples_[item];
    return {source.begin(), source.begin() + static_cast<std::ptrdiff_t>(std::min(most, source.size()))};
}

}  // namespace imprint::training
