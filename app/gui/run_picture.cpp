// SPDX-License-Identifier: Apache-2.0
// From a run's metrics to what is drawn: the worker smooths and thins, so that the window only hands points on.
#include <algorithm>
#include <numeric>

#include "app/gui/paths.h"
#include "app/gui/run_service.h"
#include "training/log/chart.h"

namespace imprint::gui {
namespace {

constexpr size_t most_points = 300;
constexpr double memory = 0.9;
constexpr qint64 recent_steps = 200;

RunPicture::Curves drawn(const training::RunMetrics& metrics, const char* name)
{
    RunPicture::Curves curves;
    if (const auto found = metrics.steps.find(name); found != metrics.steps.end())
        for (const auto& [objective, curve] : found->second)
            curves[objective] = training::thinned(training::smoothed(curve, memory), most_points);
    return curves;
}

/// One curve per evaluation: the figure that people look at first.
RunPicture::Curves held_out(const training::RunMetrics& metrics)
{
    RunPicture::Curves curves;
    std::map<std::string, bool> shown;
    for (const char* figure : {"top1", "forwards.r1", "r1", "accuracy", "map", "clean.r10", "r10"}) {
        const auto found = metrics.evaluations.find(figure);
        if (found == metrics.evaluations.end())
            continue;
        for (const auto& [group, curve] : found->second)
            if (!std::exchange(shown[group], true))
                curves[group + " " + figure] = training::thinned(curve, most_points);
    }
    return curves;
}

/// Sum over the newest steps of what lines call `name`, and how many lines had it.
std::pair<double, qint64> lately(const training::RunMetrics& metrics, const char* name)
{
    double sum = 0;
    qint64 lines = 0;
    if (const auto found = metrics.steps.find(name); found != metrics.steps.end())
        for (const auto& [objective, curve] : found->second)
            for (auto point = curve.rbegin(); point != curve.rend() && point->first > metrics.last_step - recent_steps; ++point) {
                sum += point->second;
                ++lines;
            }
    return {sum, lines};
}

}  // namespace

RunPicture run_picture(const std::filesystem::path& folder, training::MetricsFollower& follower)
{
    follower.read();
    const training::RunMetrics& metrics = follower.metrics();
    RunPicture picture;
    picture.folder = folder;
    picture.name = shown_name(folder);
    picture.status = jobs::run_status(folder);
    picture.step = metrics.last_step + 1;
    if (metrics.recipe.is_object())
        picture.steps = metrics.recipe.value("steps", qint64(0));
    picture.loss = drawn(metrics, "loss");
    picture.accuracy = drawn(metrics, "accuracy");
    picture.held_out = held_out(metrics);
    picture.experts = metrics.expert_use;
    if (const auto [sum, lines] = lately(metrics, "left_behind"); lines > 0)
        picture.left_behind = sum / double(lines);
    const auto [seconds, lines] = lately(metrics, "seconds");
    if (seconds > 0) {
        picture.samples_per_second = lately(metrics, "samples").first / seconds;
        if (picture.steps > picture.step)
            picture.seconds_left = seconds / double(lines) * double(picture.steps - picture.step);
    }
    return picture;
}

}  // namespace imprint::gui
