// SPDX-License-Identifier: Apache-2.0
// From a file to what the encoder reads: one input per moment, decoded in chunks so that a long file costs no more memory
// than a short one.
#pragma once

#include <functional>
#include <optional>
#include <variant>

#include "app/jobs/moments.h"
#include "core/base/cancel.h"
#include "core/encoder.h"
#include "core/media/decoder.h"
#include "index/library.h"

namespace imprint::jobs {

using Clip = std::vector<media::Picture>;
/// What one moment looks or sounds like.
using Input = std::variant<media::Picture, Clip, media::Sound>;
/// Bytes that an input keeps alive.
int64_t input_bytes(const Input& input);

/// What the encoder wants to be fed; read once, so that threads need not share the encoder.
struct Intake {
    media::Fit fit;
    int max_frames = 1;
    double sound_window = 0;
    explicit Intake(const Encoder& encoder);
};

/// Called once per moment, in order within a modality.
using MomentSink = std::function<void(const index::Moment&, Input)>;

/// Decodes every moment of a probed file and hands it to `sink`, at most 64 frames or 300 seconds of sound at a time. A
/// video gives one picture moment a shot (shots.h). Silent windows are left out, and windows that repeat the one before them
/// are joined to it (repeats.h): the moment is as long as they are together, its sound is the first window's. With `span`, a
/// video gives one picture moment of that span and a sound only its part.
/// Throws Error with the file as subject; what was handed out before is then to be dropped.
void extract(media::Decoder& decoder, const std::filesystem::path& file, const media::Probe& probe, const Intake& intake,
             const std::optional<Window>& span, const MomentSink& sink, const CancelToken& cancel);

}  // namespace imprint::jobs
