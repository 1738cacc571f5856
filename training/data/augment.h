// SPDX-License-Identifier: Apache-2.0
// What training does to a picture or clip before it becomes tokens: inception crop, mirror, colour. imp_method.md section 6.
// What happens is drawn from the item's place alone and apart from doing it, so that it can be looked at and repeated.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/media/media.h"
#include "training/data/item_draws.h"

namespace imprint::training {

struct AugmentOptions {
    bool crop = true;
    double least_area = 0.5, most_area = 1.0;      ///< of the picture
    double least_aspect = 0.5, most_aspect = 2.0;  ///< width / height, log-uniform
    bool flip = true;                              ///< mirrors every second item
    double colour_probability = 0.8;
    /// Reaches of the colour change. The method names the four and no values; these are the usual ones.
    double brightness = 32.0 / 255, contrast = 0.4, saturation = 0.4, hue = 0.2;

    /// Captions speak of left and right and of colours: a captioned video is only cropped.
    static AugmentOptions captioned_video()
    {
        AugmentOptions options;
        options.flip = false;
        options.colour_probability = 0;
        return options;
    }
};

/// In whole pixels.
struct Crop {
    int left = 0, top = 0, width = 0, height = 0;
    bool operator==(const Crop&) const = default;
};

struct Colour {
    double brightness = 0;                ///< added, in shares of full white
    double contrast = 1, saturation = 1;  ///< factors
    double hue = 0;                       ///< turns
    bool operator==(const Colour&) const = default;
};

struct Augmentation {
    Crop crop;
    bool flip = false;
    Colour colour;
    bool operator==(const Augmentation&) const = default;
};

/// A pure function of its arguments. Where a picture is so long that no crop has both the area and the aspect, the crop is the
/// largest one in the middle that has the aspect.
Augmentation draw_augmentation(const AugmentOptions& options, media::Size picture, const ItemPlace& place);

/// Crops, resizes to `target` (bilinear, half-pixel centres; shrink by more than 2 when decoding, not here), mirrors, changes
/// colour. The picture must have the size that the augmentation was drawn for.
media::Picture augmented(const media::Picture& picture, const Augmentation& augmentation, media::Size target);
/// All frames of a clip alike.
std::vector<media::Picture> augmented(std::span<const media::Picture> clip, const Augmentation& augmentation, media::Size target);

/// What evaluation does instead: scaled so that the shorter side is floor(1.15 · crop / 8) · 8, then the middle crop × crop.
media::Picture evaluation_view(const media::Picture& picture, int crop);

/// Videos are looked at so many times a second, whatever their own rate.
inline constexpr double kVideoRate = 25;

struct ClipOptions {
    int frames = 16;
    int stride = 2;  ///< frames of the source from one to the next
    double frames_per_second = kVideoRate;
};
/// Times, ascending, of a clip that starts at random; a video shorter than the clip is spread over all its length.
std::vector<double> draw_frame_times(const ClipOptions& options, double duration, const ItemPlace& place);
/// The same for evaluation: clip `clip` of `clips` whose starts are spread evenly.
std::vector<double> evaluation_frame_times(const ClipOptions& options, double duration, int clip, int clips);

}  // namespace imprint::training
