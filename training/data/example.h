// SPDX-License-Identifier: Apache-2.0
// One sample as an objective sees it: decoded, cropped, with its words. Free of tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/media/decoder.h"
#include "training/data/item_draws.h"
#include "training/data/media_cache.h"
#include "training/data/source.h"
#include "training/data/text_templates.h"
#include "training/token_table.h"

namespace imprint::training {

struct ExampleOptions {
    bool pictures = false, sound = false, text = false, label = false;  ///< what is wanted; a sample without it is an error
    Resolution resolution;  ///< of every clip; a still picture stands in every frame of a clip
    int clips = 1;          ///< clips and windows of sound; where both are wanted, a window begins with its clip
    int captions = 1;
    int frame_stride = 2;
    double sound_seconds = 0;                ///< of a window
    bool augment = true;                     ///< random places, crops and colours; else evenly spread clips and the middle crop
    std::optional<TextTemplates> templates;  ///< the text of a sample that has a class and no text of its own
};

struct Example {
    std::string name;  ///< of the sample, for messages
    int64_t sample = -1;
    std::vector<std::vector<media::Picture>> clips;  ///< [clips][frames], of the resolution's size
    std::vector<std::vector<float>> sounds;          ///< [clips], 16 kHz mono, at most the window long
    std::vector<std::string> texts;                  ///< [captions]: different ones as long as the sample has them
    int label = -1;
    std::vector<float> teacher;  ///< filled by BatchReader
};

/// Decodes and draws. A pure function of the sample and its arguments; a cache, which may be null, saves decoding. Frames of a
/// clip are cropped and coloured alike; a video that goes with text is cropped only. Throws Error as the media door does, and
/// Error(Malformed) naming the sample where it has not what is wanted. Any thread.
Example make_example(const Sample& sample, const std::vector<std::string>& classes, const ExampleOptions& options,
                     const ItemPlace& place, media::Decoder& decoder, MediaCache* cache = nullptr,
                     const CancelToken& cancel = {});

}  // namespace imprint::training
