// SPDX-License-Identifier: Apache-2.0
// Training sounds in memory, and the random windows cut from them.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/media/decoder.h"
#include "training/corpus.h"
#include "training/draws.h"
#include "training/equaliser.h"

namespace imprint::training {

class SoundClips {
public:
    /// Of no sound: for runs that hear none.
    explicit SoundClips(const Corpus& corpus) : samples_(corpus.items().size()) { }
    /// Decodes every sound item (at most `seconds` of each).
    SoundClips(const Corpus& corpus, double seconds, media::Decoder& decoder, const std::function<void(const std::string&)>& log,
               const CancelToken& cancel);

    bool has(size_t item) const { return !samples_[item].empty(); }
    /// A window of 1 … `most` samples of each: random place, gain, speed, balance of bass and treble, and now and then
    /// another sound faintly beneath.
    std::vector<std::vector<float>> draw(const std::vector<size_t>& items, size_t most, Draws& draws) const;
    /// The first `most` samples, as they are.
    std::vector<float> head(size_t item, size_t most) const;

private:
    /// What is drawn at random of a window.
    struct Window {
        size_t item = 0, length = 0, other = 0, other_begin = 0;
        double speed = 1, begin = 0;
        float gain = 1, faint = 0;
        BandGains bands{1, 1, 1};
    };
    Window choose(size_t item, size_t most, Draws& draws) const;
    std::vector<float> cut(const Window& window) const;

    std::vector<std::vector<float>> samples_;  // by index in Corpus::items()
    std::vector<size_t> with_sound_;
};

}  // namespace imprint::training
