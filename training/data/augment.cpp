// SPDX-License-Identifier: Apache-2.0
// Drawing, then doing.
#include "training/data/augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr uint64_t kCropPurpose = 0xc409, kFlipPurpose = 0xf119, kColourPurpose = 0xc010, kClipPurpose = 0xc119;
constexpr int kCropTries = 10;

Crop draw_crop(const AugmentOptions& options, media::Size picture, Draws draws)
{
    const double area = static_cast<double>(picture.width) * picture.height;
    for (int i = 0; i < kCropTries; ++i) {
        const double wanted = draws.between(options.least_area, options.most_area) * area;
        const double aspect = std::exp(draws.between(std::log(options.least_aspect), std::log(options.most_aspect)));
        const int width = static_cast<int>(std::lround(std::sqrt(wanted * aspect)));
        const int height = static_cast<int>(std::lround(std::sqrt(wanted / aspect)));
        const double across = draws.uniform(), down = draws.uniform();
        if (width < 1 || height < 1 || width > picture.width || height > picture.height)
            continue;
        return {static_cast<int>(across * (picture.width - width + 1)), static_cast<int>(down * (picture.height - height + 1)),
                width, height};
    }
    const double aspect =
        std::clamp(static_cast<double>(picture.width) / picture.height, options.least_aspect, options.most_aspect);
    const int width = std::clamp(static_cast<int>(std::floor(picture.height * aspect + 1e-9)), 1, picture.width);
    const int height = std::clamp(static_cast<int>(std::floor(picture.width / aspect + 1e-9)), 1, picture.height);
    return {(picture.width - width) / 2, (picture.height - height) / 2, width, height};
}

using Matrix = std::array<std::array<double, 3>, 3>;

Matrix product(const Matrix& a, const Matrix& b)
{
    Matrix c{};
    for (size_t i = 0; i < 3; ++i)
        for (size_t j = 0; j < 3; ++j)
            for (size_t k = 0; k < 3; ++k)
                c[i][j] += a[i][k] * b[k][j];
    return c;
}

/// Saturation and hue as one linear map: a turn and a stretch of the colour plane around the greys, which stay where they are.
Matrix colour_matrix(const Colour& colour)
{
    // RGB to YIQ and back (NTSC): Y is brightness, I and Q span the colours.
    constexpr Matrix to = {{{0.299, 0.587, 0.114}, {0.5959, -0.2746, -0.3213}, {0.2115, -0.5227, 0.3112}}};
    constexpr Matrix from = {{{1, 0.956, 0.619}, {1, -0.272, -0.647}, {1, -1.106, 1.703}}};
    const double angle = 2 * std::numbers::pi * colour.hue;
    const double cosine = colour.saturation * std::cos(angle), sine = colour.saturation * std::sin(angle);
    const Matrix turn = {{{1, 0, 0}, {0, cosine, -sine}, {0, sine, cosine}}};
    Matrix map = product(from, product(turn, to));
    // The rounded constants above are inverse to about 1e-3: greys must stay grey to the last bit.
    for (auto& row : map) {
        const double excess = (row[0] + row[1] + row[2] - 1) / 3;
        for (double& value : row)
            value -= excess;
    }
    return map;
}

void change_colour(std::vector<uint8_t>& rgb, const Colour& colour)
{
    if (colour == Colour())
        return;
    std::array<double, 3> mean{};
    for (size_t i = 0; i < rgb.size(); ++i)
        mean[i % 3] += rgb[i];
    for (double& channel : mean)
        channel = channel / (static_cast<double>(rgb.size()) / 3) + 255 * colour.brightness;
    const Matrix map = colour_matrix(colour);
    for (size_t i = 0; i + 2 < rgb.size(); i += 3) {
        std::array<double, 3> in{};
        for (size_t c = 0; c < 3; ++c)
            in[c] = (rgb[i + c] + 255 * colour.brightness - mean[c]) * colour.contrast + mean[c];
        for (size_t c = 0; c < 3; ++c) {
            const double out = map[c][0] * in[0] + map[c][1] * in[1] + map[c][2] * in[2];
            rgb[i + c] = static_cast<uint8_t>(std::lround(std::clamp(out, 0.0, 255.0)));
        }
    }
}

/// Where the target's pixel centres fall in the crop: the two neighbours and the second one's weight.
struct Tap {
    int first, second;
    double weight;
};
std::vector<Tap> taps(int from, int to)
{
    std::vector<Tap> all;
    for (int i = 0; i < to; ++i) {
        const double place = std::clamp((i + 0.5) * from / to - 0.5, 0.0, from - 1.0);
        const int first = static_cast<int>(place);
        all.push_back({first, std::min(first + 1, from - 1), place - first});
    }
    return all;
}

std::vector<uint8_t> resized(const media::Picture& picture, const Crop& crop, bool flip, media::Size target)
{
    const std::vector<Tap> across = taps(crop.width, target.width), down = taps(crop.height, target.height);
    std::vector<uint8_t> out(static_cast<size_t>(target.width) * target.height * 3);
    const auto row_at = [&](int row) { return picture.rgb.data() + static_cast<size_t>(crop.top + row) * picture.width * 3; };
    for (int y = 0; y < target.height; ++y) {
        const Tap& v = down[static_cast<size_t>(y)];
        const uint8_t *upper = row_at(v.first), *lower = row_at(v.second);
        for (int x = 0; x < target.width; ++x) {
            const Tap& h = across[static_cast<size_t>(flip ? target.width - 1 - x : x)];
            const size_t left = static_cast<size_t>(crop.left + h.first) * 3,
                         right = static_cast<size_t>(crop.left + h.second) * 3;
            for (size_t c = 0; c < 3; ++c) {
                const double top = upper[left + c] + h.weight * (upper[right + c] - upper[left + c]);
                const double bottom = lower[left + c] + h.weight * (lower[right + c] - lower[left + c]);
                out[(static_cast<size_t>(y) * target.width + x) * 3 + c] =
                    static_cast<uint8_t>(std::lround(top + v.weight * (bottom - top)));
            }
        }
    }
    return out;
}

media::Picture owned(std::vector<uint8_t> rgb, media::Size size, double time)
{
    auto bytes = std::make_shared<std::vector<uint8_t>>(std::move(rgb));
    return {size.width, size.height, time, {bytes->data(), bytes->size()}, bytes};
}

std::vector<double> times_from(const ClipOptions& options, double duration, double share)
{
    IMPRINT_ASSERT(options.frames > 0 && options.stride > 0 && options.frames_per_second > 0);
    const double frame = 1 / options.frames_per_second;
    const double last = std::max(0.0, duration - frame);  // the last frame begins here
    double step = options.stride * frame;
    if (const double length = step * (options.frames - 1); length > last)
        step = options.frames > 1 ? last / (options.frames - 1) : 0;
    const double start = share * std::max(0.0, last - step * (options.frames - 1));
    std::vector<double> times;
    for (int i = 0; i < options.frames; ++i)
        times.push_back(start + i * step);
    return times;
}

}  // namespace

Augmentation draw_augmentation(const AugmentOptions& options, media::Size picture, const ItemPlace& place)
{
    IMPRINT_ASSERT(picture.width > 0 && picture.height > 0);
    Augmentation augmentation;
    augmentation.crop =
        options.crop ? draw_crop(options, picture, item_draws(place, kCropPurpose)) : Crop{0, 0, picture.width, picture.height};
    augmentation.flip = options.flip && item_draws(place, kFlipPurpose).uniform() < 0.5;
    Draws colour = item_draws(place, kColourPurpose);
    if (colour.uniform() < options.colour_probability) {
        augmentation.colour.brightness = colour.between(-options.brightness, options.brightness);
        augmentation.colour.contrast = colour.between(1 - options.contrast, 1 + options.contrast);
        augmentation.colour.saturation = colour.between(1 - options.saturation, 1 + options.saturation);
        augmentation.colour.hue = colour.between(-options.hue, options.hue);
    }
    return augmentation;
}

media::Picture augmented(const media::Picture& picture, const Augmentation& augmentation, media::Size target)
{
    const Crop& crop = augmentation.crop;
    IMPRINT_ASSERT(crop.left >= 0 && crop.top >= 0 && crop.width > 0 && crop.height > 0);
    IMPRINT_ASSERT(crop.left + crop.width <= picture.width && crop.top + crop.height <= picture.height);
    std::vector<uint8_t> rgb = resized(picture, crop, augmentation.flip, target);
    change_colour(rgb, augmentation.colour);
    return owned(std::move(rgb), target, picture.time);
}

std::vector<media::Picture> augmented(std::span<const media::Picture> clip, const Augmentation& augmentation, media::Size target)
{
    std::vector<media::Picture> frames;
    for (const media::Picture& frame : clip)
        frames.push_back(augmented(frame, augmentation, target));
    return frames;
}

media::Picture evaluation_view(const media::Picture& picture, int crop)
{
    IMPRINT_ASSERT(crop > 0);
    const int shorter = std::max(crop, static_cast<int>(1.15 * crop / 8) * 8);
    const double scale = static_cast<double>(std::min(picture.width, picture.height)) / shorter;
    const auto side = [&](int length) { return std::clamp(static_cast<int>(std::lround(crop * scale)), 1, length); };
    const Crop middle{(picture.width - side(picture.width)) / 2, (picture.height - side(picture.height)) / 2, side(picture.width),
                      side(picture.height)};
    return owned(resized(picture, middle, false, {crop, crop}), {crop, crop}, picture.time);
}

std::vector<double> draw_frame_times(const ClipOptions& options, double duration, const ItemPlace& place)
{
    return times_from(options, duration, item_draws(place, kClipPurpose).uniform());
}

std::vector<double> evaluation_frame_times(const ClipOptions& options, double duration, int clip, int clips)
{
    IMPRINT_ASSERT(clip >= 0 && clip < clips);
    return times_from(options, duration, clips > 1 ? static_cast<double>(clip) / (clips - 1) : 0.5);
}

}  // namespace imprint::training
