// SPDX-License-Identifier: Apache-2.0
// Mono sound at the file's own rate, by sample position.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/media/worker/ffmpeg.h"
#include "core/media/worker/input.h"

namespace imprint::media
{

class SoundSource
{
public:
    virtual ~SoundSource() = default;
    virtual int rate() const = 0;
    /// The next read() begins at this sample; 0 is where the file begins to play.
    virtual void seek(int64_t sample) = 0;
    /// Up to `count` samples, fewer only at the end; 0 after it.
    virtual int read(float* samples, int count) = 0;
};

/// What libsndfile says of a file it reads.
struct SoundHeader {
    std::string format;
    double duration = 0;
};

/// Null where libsndfile does not know the file. Throws Error for one that it knows and cannot read.
std::unique_ptr<SoundSource> open_sndfile(const Input& input, SoundHeader& header);

/// Throws Error(Unsupported) where the container has no sound.
std::unique_ptr<SoundSource> open_ffmpeg_sound(std::unique_ptr<Container> container);

} // namespace imprint::media
