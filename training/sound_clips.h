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

namespace imprint::training {

class SoundClips {
public:
    /// Decodes every sound item (at most `seconds` of each).
    SoundClips(const Corpus& corpus, double seconds, media::Decoder& decoder, const std::function<void(const std::string&)>& log,
               const CancelToken& cancel);

    bool has(size_t item) const { return !samples_[item].empty(); }
    /// A window of 1 … `most` samples: random place, gain, speed, and now and then another sound faintly beneath.
    std::vector<float> draw(size_t item, size_t most, Draws& draws) const;
    /// The first `most` samples, as they are.
    std::vector<float> head(size_t item, size_t most) const;

private:
    std::vector<std::vector<float>> samples_;  // by index in Corpus::items()
    std::vector<size_t> with_sound_;
};

}  // namespace imprint::training
