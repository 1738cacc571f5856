// SPDX-License-Identifier: Apache-2.0
// What the parent and imprint-decode say to each other: one fixed-size request, one fixed-size reply, over
// SOCK_SEQPACKET. A request carries the media file's descriptor, a good reply carries a sealed memfd with the pixels or
// samples. Both ends are built together, so the structs travel as they lie in memory.
#pragma once

#include <cstdint>

namespace imprint::media::protocol
{

inline constexpr uint32_t kMagic = 0x32444d49; // "IMD2": changes with any change below
inline constexpr int kSocket = 3; ///< the worker's end, its only descriptor beside 0, 1 and 2
inline constexpr int kMaxTimes = 256;
inline constexpr int kMaxSizes = 32;
inline constexpr double kMaxSoundSeconds = 600;
inline constexpr int kIdleSeconds = 60; ///< a worker without work for so long ends by itself
inline constexpr int kExitOutOfMemory = 97; ///< the worker's exit status when a library could not allocate

enum class Operation : uint32_t { Probe = 1, Still, Frames, Sound, Excerpt };
enum class Status : uint32_t { Ok = 0, Unsupported, Malformed, LimitExceeded, Io };

struct WireSize {
    int32_t width, height;
};

struct Request {
    uint32_t magic;
    Operation operation;
    int32_t max_side;
    uint32_t size_count, time_count;
    uint32_t timeout_seconds; ///< the worker ends itself some seconds later, should nobody be left to kill it
    int64_t max_pixels, max_video_pixels, max_memory;
    double max_duration;
    double from, to;
    WireSize sizes[kMaxSizes];
    double times[kMaxTimes];
};

struct Reply {
    uint32_t magic;
    Status status;
    char reason[512]; ///< why, zero-terminated; empty when Ok
    // Probe
    uint32_t kind; ///< 0 image, 1 video, 2 audio
    uint32_t has_sound, has_taken_at;
    int32_t width, height; ///< of the file as shown (Probe), or of each picture handed out
    int64_t taken_at;
    double duration;
    char format[32]; ///< also an excerpt's ending
    // Still, Frames, Sound, Excerpt: what the memfd holds
    uint32_t picture_count;
    uint64_t sample_count; ///< of an excerpt: bytes
    double start;
    double times[kMaxTimes];
};

} // namespace imprint::media::protocol
