// SPDX-License-Identifier: Apache-2.0
// Decoding the moments of one file, chunk by chunk.
#include "app/jobs/extract.h"

#include <algorithm>
#include <cmath>

namespace imprint::jobs {
namespace {

constexpr int kFramesPerChunk = 64;
constexpr double kSecondsPerChunk = 300;

void extract_picture(media::Decoder& decoder, const std::filesystem::path& file, std::span<const Window> windows,
                     const Intake& intake, const MomentSink& sink, const CancelToken& cancel)
{
    std::vector<std::vector<double>> times;
    std::vector<int> counts;
    for (const Window& window : windows) {
        times.push_back(frame_times(window, intake.max_frames));
        counts.push_back(static_cast<int>(times.back().size()));
    }
    for (const Chunk& chunk : chunks(windows, counts, kFramesPerChunk, HUGE_VAL)) {
        cancel.check();
        std::vector<double> wanted;
        for (size_t i = chunk.first; i < chunk.last; ++i)
            wanted.insert(wanted.end(), times[i].begin(), times[i].end());
        std::vector<media::Picture> frames = decoder.frames(file, wanted, intake.fit, cancel);
        IMPRINT_ASSERT(frames.size() == wanted.size());
        auto next = frames.begin();
        for (size_t i = chunk.first; i < chunk.last; ++i) {
            Clip clip(std::make_move_iterator(next), std::make_move_iterator(next + counts[i]));
            next += counts[i];
            sink({Modality::Picture, windows[i].start, windows[i].end}, std::move(clip));
        }
    }
}

/// Returns how many samples came out, silent ones included.
size_t extract_sound(media::Decoder& decoder, const std::filesystem::path& file, std::span<const Window> windows,
                     const Intake& intake, const MomentSink& sink, const CancelToken& cancel)
{
    const auto longest = static_cast<size_t>(intake.sound_window * media::kSampleRate);
    const auto shortest = longest / 4;
    const std::vector<int> counts(windows.size(), 1);
    size_t heard = 0;
    for (const Chunk& chunk : chunks(windows, counts, static_cast<int>(windows.size()), kSecondsPerChunk)) {
        cancel.check();
        const media::Sound sound = decoder.sound(file, windows[chunk.first].start, windows[chunk.last - 1].end, cancel);
        heard += sound.samples.size();
        const std::span<const float> samples(sound.samples);
        for (size_t i = chunk.first; i < chunk.last; ++i) {
            const Window& window = windows[i];
            const auto begin = std::max(0LL, std::llround((window.start - sound.start) * media::kSampleRate));
            if (begin >= std::ssize(samples))
                break;
            const auto part =
                samples.subspan(begin).first(std::min({static_cast<size_t>(std::llround(window.length() * media::kSampleRate)),
                                                       longest, samples.size() - static_cast<size_t>(begin)}));
            // A header that promises more than there is must not leave a crumb as a moment of its own.
            const bool crumb = windows.size() > 1 && part.size() < shortest;
            if (part.empty() || crumb || silent(part))
                continue;
            const double end = window.start + static_cast<double>(part.size()) / media::kSampleRate;
            sink({Modality::Sound, window.start, std::abs(end - window.end) < 0.05 ? window.end : end},
                 media::Sound{window.start, {part.begin(), part.end()}});
        }
    }
    return heard;
}

std::vector<Window> shifted(std::vector<Window> windows, double by)
{
    for (Window& window : windows)
        window = {window.start + by, window.end + by};
    return windows;
}

std::string subject_of(const std::filesystem::path& file) { return file.native(); }

}  // namespace

int64_t input_bytes(const Input& input)
{
    if (const auto* picture = std::get_if<media::Picture>(&input))
        return static_cast<int64_t>(picture->rgb.size());
    if (const auto* sound = std::get_if<media::Sound>(&input))
        return static_cast<int64_t>(sound->samples.size() * sizeof(float));
    int64_t bytes = 0;
    for (const media::Picture& frame : std::get<Clip>(input))
        bytes += static_cast<int64_t>(frame.rgb.size());
    return bytes;
}

Intake::Intake(const Encoder& encoder) : max_frames(encoder.max_frames()), sound_window(encoder.sound_window())
{
    fit.exact = encoder.picture_sizes();
}

void extract(media::Decoder& decoder, const std::filesystem::path& file, const media::Probe& probe, const Intake& intake,
             const std::optional<Window>& span, const MomentSink& sink, const CancelToken& cancel)
{
    if (probe.kind == media::Kind::Image) {
        if (span)
            throw Error(ErrorKind::Usage, subject_of(file), "a still image has no times", "Leave out the span");
        sink({Modality::Picture, std::nullopt, std::nullopt}, decoder.still(file, intake.fit, cancel));
        return;
    }
    if (span && span->start >= probe.duration)
        throw Error(ErrorKind::Usage, subject_of(file),
                    "the span begins after the end (" + std::to_string(probe.duration) + " s)");
    const double start = span ? span->start : 0;
    const double end = span ? std::min(span->end, probe.duration) : probe.duration;

    if (probe.kind == media::Kind::Video) {
        const std::vector<Window> windows = span ? std::vector<Window>{{start, end}} : picture_windows(probe.duration);
        extract_picture(decoder, file, windows, intake, sink, cancel);
    }
    if (probe.has_sound || probe.kind == media::Kind::Audio) {
        const std::vector<Window> windows = shifted(sound_windows(end - start, intake.sound_window), start);
        const size_t heard = extract_sound(decoder, file, windows, intake, sink, cancel);
        if (heard == 0 && probe.kind == media::Kind::Audio)
            throw Error(ErrorKind::Malformed, subject_of(file), "holds no sound that can be decoded");
    }
}

}  // namespace imprint::jobs
