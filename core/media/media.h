// SPDX-License-Identifier: Apache-2.0
// What the media door hands out: kinds of files, decoded pictures and sound. Plain data, free of any decoder's types.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace imprint::media
{

/// What a file is for the person who owns it. A video's sound track belongs to the video.
enum class Kind { Image, Video, Audio };
const char* kind_name(Kind kind); ///< "image", "video", "audio"
std::optional<Kind> kind_from_name(const std::string& name);

/// Sound is always handed out as 16 kHz mono.
inline constexpr int kSampleRate = 16000;

/// Facts about a file, read from its headers (and, where a container states no duration, measured).
struct Probe {
    Kind kind = Kind::Image;
    int width = 0, height = 0; ///< as shown: after orientation and display-matrix rotation; 0 without a picture
    double duration = 0; ///< seconds; 0 for an image
    bool has_sound = false;
    std::string format; ///< short name such as "jpeg", "mov,mp4", "wav"
    std::optional<int64_t> taken_at; ///< seconds since 1970 (UTC) from EXIF or container metadata
};

/// One 8-bit sRGB picture, rows packed: rgb[(y * width + x) * 3 + channel]. Alpha is already laid over white.
/// `rgb` views memory shared with a decoder process and kept alive by `owner`; read-only.
struct Picture {
    int width = 0, height = 0;
    double time = 0; ///< seconds from the start of the video; 0 for an image
    std::span<const uint8_t> rgb;
    std::shared_ptr<const void> owner;
};

/// Mono samples in [-1, 1] at kSampleRate, starting `start` seconds into the file.
struct Sound {
    double start = 0;
    std::vector<float> samples;
};

/// A span of a video or sound as a file of its own, in memory shared with a decoder process and kept alive by `owner`.
struct Excerpt {
    std::string ending; ///< "mp4", "mkv", "m4a", "mp3", "ogg", "wav" or "mka": what `bytes` are
    double start = 0; ///< seconds into the file at which it begins to play
    std::span<const uint8_t> bytes;
    std::shared_ptr<const void> owner;
};

/// A size a picture may be scaled to.
struct Size {
    int width = 0, height = 0;
    bool operator==(const Size&) const = default;
};

/// How a decoded picture is scaled: either squeezed to exactly one of `exact` (the one whose aspect ratio is nearest,
/// compared as |log ratio|; the whole picture is seen, slightly distorted), or, with `exact` empty, shrunk in
/// proportion until its longer side is at most `max_side` (never enlarged).
struct Fit {
    std::vector<Size> exact;
    int max_side = 512;
};

/// Limits of one request; a file that passes one fails with Error(LimitExceeded) and costs nothing else.
struct Limits {
    int64_t max_pixels = 400'000'000; ///< stills: width × height (a 30,000 × 30,000 PNG is refused from its header)
    int64_t max_video_pixels = 70'000'000; ///< one video frame
    double max_duration = 48 * 3600.0; ///< seconds
    int64_t max_memory = 2LL << 30; ///< bytes of address space that a worker may grow by
    double timeout = 60.0; ///< seconds of wall time a request may take
};

} // namespace imprint::media
