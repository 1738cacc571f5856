// SPDX-License-Identifier: Apache-2.0
// Loads sounds and augments them in the time domain.
#include "training/sound_clips.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "core/base/error.h"

namespace imprint::training {

namespace {
constexpr double kMostDecibels = 6;  // that a band is louder or softer by
}

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

SoundClips::Window SoundClips::choose(size_t item, size_t most, Draws& draws) const
{
    const auto size = static_cast<double>(samples_[item].size());
    Window window;
    window.item = item;
    // A change of speed by resampling moves pitch and tempo together, as a bigger or smaller source would.
    window.speed = std::exp(draws.between(-0.12, 0.12));
    window.length = std::min(most, std::max<size_t>(1, static_cast<size_t>(size / window.speed)));
    const double slack = std::max(0.0, size - static_cast<double>(window.length) * window.speed);
    window.begin = draws.uniform() * slack;
    window.gain = static_cast<float>(std::exp(draws.between(-1.2, 0.5)));
    for (float& gain : window.bands)
        gain = static_cast<float>(std::pow(10.0, draws.between(-kMostDecibels, kMostDecibels) / 20));
    if (draws.uniform() < 0.3) {
        window.other = with_sound_[static_cast<size_t>(draws.below(static_cast<int64_t>(with_sound_.size())))];
        window.faint = window.gain * static_cast<float>(draws.between(0.03, 0.25));
        window.other_begin = static_cast<size_t>(draws.below(static_cast<int64_t>(samples_[window.other].size())));
    }
    return window;
}

std::vector<float> SoundClips::cut(const Window& window) const
{
    const auto& source = samples_[window.item];
    std::vector<float> samples(window.length);
    for (size_t i = 0; i < window.length; ++i) {
        const double place = window.begin + static_cast<double>(i) * window.speed;
        const auto left = std::min(static_cast<size_t>(place), source.size() - 1), right = std::min(left + 1, source.size() - 1);
        const auto share = static_cast<float>(place - std::floor(place));
        samples[i] = window.gain * (source[left] * (1 - share) + source[right] * share);
    }
    if (window.faint > 0) {
        const auto& other = samples_[window.other];
        for (size_t i = 0; i < window.length && window.other_begin + i < other.size(); ++i)
            samples[i] += window.faint * other[window.other_begin + i];
    }
    equalise(samples, media::kSampleRate, window.bands);
    return samples;
}

std::vector<std::vector<float>> SoundClips::draw(const std::vector<size_t>& items, size_t most, Draws& draws) const
{
    std::vector<Window> windows;
    for (const size_t item : items)
        windows.push_back(choose(item, most, draws));
    std::vector<std::vector<float>> cuts(windows.size());
    tbb::parallel_for(size_t{0}, cuts.size(), [&](size_t i) { cuts[i] = cut(windows[i]); });
    return cuts;
}

std::vector<float> SoundClips::head(size_t item, size_t most) const
{
    const auto& source = samples_[item];
    return {source.begin(), source.begin() + static_cast<std::ptrdiff_t>(std::min(most, source.size()))};
}

}  // namespace imprint::training
