// SPDX-License-Identifier: Apache-2.0
// The media door: files in, pictures and sound out. Every byte of a file is parsed in `imprint-decode` child processes;
// this side only opens the file, passes the descriptor and checks what comes back.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/media/media.h"

namespace imprint::media
{

struct DecoderOptions {
    std::filesystem::path worker; ///< imprint-decode; empty: beside the running executable, or $IMPRINT_DECODE
    int workers = 0; ///< processes at most; 0: one per processor
    Limits limits;
};

/// A pool of decoder processes. All methods may be called from any number of threads at once; a call blocks until a
/// worker is free and has answered. Workers start when first needed and end with the pool. A worker that crashes, hangs
/// or swells is killed and replaced, and costs only the call it served.
///
/// Every method throws Error with the file's path as subject: NotFound, Permission, Unsupported, Malformed,
/// LimitExceeded, Crashed, Cancelled. Files must be regular: a FIFO, socket, device or folder is Unsupported; a final
/// symbolic link is not followed. Paths are bytes.
class Decoder
{
public:
    explicit Decoder(DecoderOptions options = {});
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    /// Starts the workers ahead of the first call, without waiting for them: they load their libraries while the caller loads
    /// a model.
    void start();

    /// Reads the headers. The kind is decided by content, never by the name.
    Probe probe(const std::filesystem::path& file, const CancelToken& cancel = {});

    /// Decodes a still image (the first picture of an animation).
    Picture still(const std::filesystem::path& file, const Fit& fit, const CancelToken& cancel = {});

    /// Decodes the frames shown at `times` (seconds, ascending) of a video, seeking where that is cheaper than decoding
    /// through. Returns one picture per time, all of one size; a time past the last frame gives the last frame.
    /// At most 256 times a call.
    std::vector<Picture> frames(const std::filesystem::path& file, std::span<const double> times, const Fit& fit,
        const CancelToken& cancel = {});

    /// Decodes sound from `from` to `to` seconds (clipped to the file) as 16 kHz mono. At most 600 seconds a call.
    Sound sound(const std::filesystem::path& file, double from, double to, const CancelToken& cancel = {});

    /// Cuts out `from` to `to` seconds (clipped to the file) by copying what is coded, so nothing gets worse. What fits MP4
    /// (H.264, H.265, AV1, VP9, MPEG-4 with AAC, MP3, Opus …) and uncoded sound begin exactly at `from`; MP4 keeps what is
    /// needed from the key frame before, which players skip. Anything else becomes Matroska from the key frame before, and
    /// sound alone begins with the packet that holds `from`. The last picture may be a few frames past `to`, where others are made
    /// from it. Unsupported for a still image and for what no container takes; LimitExceeded past Limits::max_memory.
    Excerpt excerpt(const std::filesystem::path& file, double from, double to, const CancelToken& cancel = {});

    /// Bytes of shared memory that handed-out pictures hold at present (for tests and for planning).
    int64_t shared_bytes() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// The libraries that imprint-decode decodes with, and their versions: what a file's samples may depend on. `worker`: as in
/// DecoderOptions. Error(NotFound) where the program is missing.
std::string decoder_versions(const std::filesystem::path& worker = {});

} // namespace imprint::media
