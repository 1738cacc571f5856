// SPDX-License-Identifier: Apache-2.0
// Windows are cut at fixed places: what they hold does not depend on who asked first.
#include "training/data/sample_media.h"

#include <algorithm>
#include <cmath>

#include "training/data/augment.h"

namespace imprint::training {
namespace {

constexpr double kTolerance = 5e-4;    // seconds, as the media door allows
constexpr int64_t kWindowTicks = 250;  // the media door gives at most 256 frames a call

int64_t tick_of(double time) { return static_cast<int64_t>(std::floor((time + kTolerance) * kVideoRate)); }
double time_of(int64_t tick) { return static_cast<double>(tick) / kVideoRate; }

std::string name_of(const media::Fit& fit)
{
    std::string name = std::to_string(fit.max_side);
    for (const auto& size : fit.exact)
        name += "," + std::to_string(size.width) + "x" + std::to_string(size.height);
    return name;
}

}  // namespace

const std::filesystem::path& SampleMedia::file()
{
    if (!file_)
        file_.emplace(sample_);
    return file_->path();
}

std::shared_ptr<const DecodedMedia> SampleMedia::cached(const std::string& part, const std::function<void(DecodedMedia&)>& decode)
{
    const auto* path = std::get_if<std::filesystem::path>(&sample_.media);
    return cache_->get((path ? path->string() : sample_.name) + '\0' + part, [&] {
        DecodedMedia made;
        decode(made);
        return made;
    });
}

media::Probe SampleMedia::probe()
{
    if (!cache_)
        return decoder_.probe(file(), cancel_);
    return cached("probe", [&](DecodedMedia& made) { made.probe = decoder_.probe(file(), cancel_); })->probe;
}

media::Picture SampleMedia::still(const media::Fit& fit)
{
    if (!cache_)
        return decoder_.still(file(), fit, cancel_);
    return cached("still " + name_of(fit), [&](DecodedMedia& made) { made.pictures = {decoder_.still(file(), fit, cancel_)}; })
        ->pictures.front();
}

std::shared_ptr<const DecodedMedia> SampleMedia::frame_window(int64_t window, int64_t ticks, const media::Fit& fit)
{
    return cached("frames " + std::to_string(window) + " " + name_of(fit), [&](DecodedMedia& made) {
        std::vector<double> times;
        for (int64_t tick = window * kWindowTicks; tick < std::min(ticks, (window + 1) * kWindowTicks); ++tick)
            times.push_back(time_of(tick));
        made.pictures = decoder_.frames(file(), times, fit, cancel_);
    });
}

std::vector<media::Picture> SampleMedia::frames(std::span<const double> times, const media::Fit& fit)
{
    if (!cache_) {
        std::vector<double> shown(times.begin(), times.end());
        for (double& time : shown)
            time = time_of(tick_of(time));
        return decoder_.frames(file(), shown, fit, cancel_);
    }
    const int64_t ticks = static_cast<int64_t>(std::ceil(probe().duration * kVideoRate)) + 1;  // later ones show the last frame
    std::vector<media::Picture> pictures;
    std::shared_ptr<const DecodedMedia> held;
    int64_t window = -1;
    for (const double time : times) {
        const int64_t tick = std::clamp<int64_t>(tick_of(time), 0, ticks - 1);
        if (tick / kWindowTicks != window) {
            window = tick / kWindowTicks;
            held = frame_window(window, ticks, fit);
        }
        pictures.push_back(held->pictures[static_cast<size_t>(tick % kWindowTicks)]);
    }
    return pictures;
}

media::Sound SampleMedia::sound(double from, double to)
{
    if (!cache_ || from > 0 || probe().duration > to)
        return decoder_.sound(file(), from, to, cancel_);
    return {from,
            cached("sound", [&](DecodedMedia& made) { made.sound = decoder_.sound(file(), from, to, cancel_).samples; })->sound};
}

}  // namespace imprint::training
