// SPDX-License-Identifier: Apache-2.0
// Decoding the moments of one file, chunk by chunk.
#include "app/jobs/extract.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/jobs/repeats.h"
#include "app/jobs/shots.h"

namespace imprint::jobs {
namespace {

constexpr int kFramesPerChunk = 64;
constexpr double kSecondsPerChunk = 300;

/// The frames that a clip of at most `most` is made of: evenly spaced.
Clip thinned(Clip frames, int most)
{
    const size_t wanted = static_cast<size_t>(std::max(1, most));
    if (frames.size() <= wanted)
        return frames;
    Clip clip;
    for (size_t i = 0; i < wanted; ++i)
        clip.push_back(std::move(frames[(2 * i + 1) * frames.size() / (2 * wanted)]));
    return clip;
}

/// One moment a shot. Frames are compared as they come, so a shot may reach over two chunks.
void extract_shots(media::Decoder& decoder, const std::filesystem::path& file, double duration, const Intake& intake,
                   const MomentSink& sink, const CancelToken& cancel)
{
    const std::vector<Window> all = cells(duration);
    ShotFinder finder;
    Window shot;
    Clip frames;
    const auto finish = [&] {
        if (!frames.empty())
            sink({Modality::Picture, shot.start, shot.end}, thinned(std::exchange(frames, {}), intake.max_frames));
    };
    for (size_t first = 0; first < all.size(); first += kFramesPerChunk) {
        cancel.check();
        const auto chunk = std::span(all).subspan(first, std::min<size_t>(kFramesPerChunk, all.size() - first));
        std::vector<double> times;
        for (const Window& cell : chunk)
            times.push_back((cell.start + cell.end) / 2);
        std::vector<media::Picture> decoded = decoder.frames(file, times, intake.fit, cancel);
        IMPRINT_ASSERT(decoded.size() == chunk.size());
        for (size_t i = 0; i < chunk.size(); ++i) {
            if (!finder.continues(look_at(decoded[i]))) {
                finish();
                shot.start = chunk[i].start;
            }
            shot.end = chunk[i].end;
            frames.push_back(std::move(decoded[i]));
        }
    }
    finish();
}

void extract_span(media::Decoder& decoder, const std::filesystem::path& file, const Window& span, const Intake& intake,
                  const MomentSink& sink, const CancelToken& cancel)
{
    sink({Modality::Picture, span.start, span.end},
         decoder.frames(file, frame_times(span, std::min(intake.max_frames, kFramesPerChunk)), intake.fit, cancel));
}

/// Hands on windows of sound, joining those that repeat what came just before them.
class SoundRuns {
public:
    explicit SoundRuns(const MomentSink& sink) : sink_(sink) { }

    void add(double start, double end, std::span<const float> samples)
    {
        // A crumb is too short to be compared.
        const std::optional<Timbre> timbre = samples.size() >= media::kSampleRate ? std::optional(listen(samples)) : std::nullopt;
        const bool joins = timbre && timbre_ && start <= moment_.end.value() + kTouching
            && end - moment_.start.value() <= kLongestRepeat && sounds_the_same(*timbre, *timbre_);
        if (!joins) {
            finish();
            moment_ = {Modality::Sound, start, end};
            sound_ = media::Sound{start, {samples.begin(), samples.end()}};
            timbre_ = timbre;
        }
        moment_.end = end;
    }

    void finish()
    {
        if (!sound_.samples.empty())
            sink_(moment_, std::exchange(sound_, {}));
        timbre_.reset();
    }

private:
    static constexpr double kTouching = 0.05;  // seconds between two windows that follow each other

    const MomentSink& sink_;
    index::Moment moment_;  // the run under way: its first window's sound, up to its last one's end
    media::Sound sound_;
    std::optional<Timbre> timbre_;
};

/// Returns how many samples came out, silent ones included.
size_t extract_sound(media::Decoder& decoder, const std::filesystem::path& file, std::span<const Window> windows,
                     const Intake& intake, const MomentSink& sink, const CancelToken& cancel)
{
    const auto longest = static_cast<size_t>(intake.sound_window * media::kSampleRate);
    const auto shortest = longest / 4;
    const std::vector<int> counts(windows.size(), 1);
    size_t heard = 0;
    SoundRuns runs(sink);
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
            runs.add(window.start, std::abs(end - window.end) < 0.05 ? window.end : end, part);
        }
    }
    runs.finish();
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
        if (span)
            extract_span(decoder, file, {start, end}, intake, sink, cancel);
        else
            extract_shots(decoder, file, probe.duration, intake, sink, cancel);
    }
    if (probe.has_sound || probe.kind == media::Kind::Audio) {
        const std::vector<Window> windows = shifted(sound_windows(end - start, intake.sound_window), start);
        const size_t heard = extract_sound(decoder, file, windows, intake, sink, cancel);
        if (heard == 0 && probe.kind == media::Kind::Audio)
            throw Error(ErrorKind::Malformed, subject_of(file), "holds no sound that can be decoded");
    }
}

}  // namespace imprint::jobs
