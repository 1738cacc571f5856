// SPDX-License-Identifier: Apache-2.0
#include "training/data/example.h"

#include <algorithm>

#include "core/base/error.h"
#include "training/data/augment.h"
#include "training/data/sample_media.h"

namespace imprint::training {
namespace {

constexpr uint64_t kTextPurpose = 0x7e37, kWindowPurpose = 0x50d4;

[[noreturn]] void lacks(const Sample& sample, const std::string& what)
{
    throw Error(ErrorKind::Malformed, sample.name, "has no " + what, "Leave it out of the data, or give it one");
}

/// Clips of one example have numbers of their own.
ItemPlace clip_place(const ItemPlace& place, const ExampleOptions& options, int clip)
{
    ItemPlace own = place;
    own.index = place.index * options.clips + clip;
    return own;
}

/// Decodes what one sample needs of its file.
class Looker {
public:
    Looker(const Sample& sample, const ExampleOptions& options, const ItemPlace& place, SampleMedia& media)
        : sample_(sample), options_(options), place_(place), media_(media), probe_(media.probe())
    {
    }

    void pictures(Example& example)
    {
        if (probe_.width == 0)
            lacks(sample_, "picture");
        const int side = 2 * std::max(options_.resolution.width, options_.resolution.height);
        const media::Fit fit{{}, side};
        std::vector<media::Picture> still;
        if (probe_.kind == media::Kind::Image)
            still.push_back(media_.still(fit));
        for (int clip = 0; clip < options_.clips; ++clip) {
            const ItemPlace place = clip_place(place_, options_, clip);
            std::vector<media::Picture> frames = still;
            if (still.empty()) {
                const std::vector<double> times = frame_times(clip, place);
                starts_.push_back(times.front());
                frames = media_.frames(times, fit);
            }
            frames = seen(frames, place);
            while (static_cast<int>(frames.size()) < options_.resolution.frames)
                frames.push_back(frames.back());
            example.clips.push_back(std::move(frames));
        }
    }

    void sounds(Example& example)
    {
        if (!probe_.has_sound)
            lacks(sample_, "sound");
        const double room = std::max(0.0, probe_.duration - options_.sound_seconds);
        for (int clip = 0; clip < options_.clips; ++clip) {
            double start = 0;
            if (!starts_.empty())
                start = std::min(room, starts_[static_cast<size_t>(clip)]);
            else if (options_.augment)
                start = room * item_draws(clip_place(place_, options_, clip), kWindowPurpose).uniform();
            else
                start = options_.clips > 1 ? room * clip / (options_.clips - 1) : 0;
            media::Sound sound = media_.sound(start, start + options_.sound_seconds);
            if (sound.samples.empty())
                lacks(sample_, "sound");
            const auto most = static_cast<size_t>(options_.sound_seconds * media::kSampleRate);
            if (sound.samples.size() > most)
                sound.samples.resize(most);
            example.sounds.push_back(std::move(sound.samples));
        }
    }

private:
    std::vector<double> frame_times(int clip, const ItemPlace& place) const
    {
        const ClipOptions clips{options_.resolution.frames, options_.frame_stride};
        return options_.augment ? draw_frame_times(clips, probe_.duration, place)
                                : evaluation_frame_times(clips, probe_.duration, clip, options_.clips);
    }
    std::vector<media::Picture> seen(const std::vector<media::Picture>& frames, const ItemPlace& place) const
    {
        const media::Size size{frames.front().width, frames.front().height};
        const media::Size target{options_.resolution.width, options_.resolution.height};
        if (options_.augment) {
            const bool crop_only = options_.text && probe_.kind == media::Kind::Video;
            const auto drawn = draw_augmentation(crop_only ? AugmentOptions::captioned_video() : AugmentOptions{}, size, place);
            return augmented(frames, drawn, target);
        }
        if (target.width != target.height)
            return augmented(frames, Augmentation{{0, 0, size.width, size.height}, false, {}}, target);
        std::vector<media::Picture> views;
        for (const auto& frame : frames)
            views.push_back(evaluation_view(frame, target.width));
        return views;
    }

    const Sample& sample_;
    const ExampleOptions& options_;
    const ItemPlace& place_;
    SampleMedia& media_;
    media::Probe probe_;
    std::vector<double> starts_;  // of the clips, in a video
};

std::vector<std::string> captions_of(const Sample& sample, const std::vector<std::string>& classes, const ExampleOptions& options,
                                     const ItemPlace& place)
{
    std::vector<std::string> all = sample.texts;
    if (all.empty() && options.templates && sample.label >= 0) {
        const std::string words = class_words(classes[static_cast<size_t>(sample.label)]);
        for (int i = 0; i < options.captions; ++i) {
            ItemPlace own = place;
            own.index = place.index * options.captions + i;
            all.push_back(options.augment
                              ? options.templates->drawn(words, own)
                              : options.templates->all(words)[static_cast<size_t>(i) % options.templates->lines().size()]);
        }
        return all;
    }
    if (all.empty())
        lacks(sample, "text");
    if (options.augment) {
        Draws draws = item_draws(place, kTextPurpose);
        for (size_t i = 0; i + 1 < all.size(); ++i)
            std::swap(all[i], all[i + static_cast<size_t>(draws.below(static_cast<int64_t>(all.size() - i)))]);
    }
    std::vector<std::string> chosen;
    for (size_t i = 0; i < static_cast<size_t>(options.captions); ++i)
        chosen.push_back(all[i % all.size()]);
    return chosen;
}

}  // namespace

Example make_example(const Sample& sample, const std::vector<std::string>& classes, const ExampleOptions& options,
                     const ItemPlace& place, media::Decoder& decoder, MediaCache* cache, const CancelToken& cancel)
{
    Example example;
    example.name = sample.name;
    example.label = sample.label;
    if (options.label && sample.label < 0)
        lacks(sample, "label");
    if (options.text)
        example.texts = captions_of(sample, classes, options, place);
    if (options.pictures || options.sound) {
        SampleMedia media(sample, decoder, cache, cancel);
        Looker looker(sample, options, place, media);
        if (options.pictures)
            looker.pictures(example);
        if (options.sound)
            looker.sounds(example);
    }
    return example;
}

}  // namespace imprint::training
