// SPDX-License-Identifier: Apache-2.0
// Speeds and the time left.
#include "training/log/step_progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/base/error.h"

namespace imprint::training {
namespace {

std::string formatted(const char* format, auto... values)
{
    char text[128];
    std::snprintf(text, sizeof text, format, values...);
    return text;
}

}  // namespace

void StepProgress::add(int64_t samples, int64_t tokens, double seconds)
{
    IMPRINT_ASSERT(samples >= 0 && tokens >= 0 && seconds >= 0);
    recent_.push_back({samples, tokens, seconds});
    if (recent_.size() > kWindow)
        recent_.pop_front();
    ++done_;
}

StepProgress::Step StepProgress::sum() const
{
    Step all{0, 0, 0};
    for (const Step& step : recent_) {
        all.samples += step.samples;
        all.tokens += step.tokens;
        all.seconds += step.seconds;
    }
    return all;
}

double StepProgress::samples_per_second() const
{
    const Step all = sum();
    return all.seconds > 0 ? static_cast<double>(all.samples) / all.seconds : 0;
}

double StepProgress::tokens_per_second() const
{
    const Step all = sum();
    return all.seconds > 0 ? static_cast<double>(all.tokens) / all.seconds : 0;
}

std::optional<double> StepProgress::seconds_left() const
{
    if (recent_.empty())
        return {};
    return sum().seconds / static_cast<double>(recent_.size()) * static_cast<double>(std::max<int64_t>(0, total_ - done_));
}

std::string StepProgress::line() const
{
    std::string text = formatted("step %lld/%lld", static_cast<long long>(done_), static_cast<long long>(total_));
    if (total_ > 0)
        text += formatted(" (%d %%)", static_cast<int>(100 * done_ / total_));
    if (const auto left = seconds_left())
        text += ", " + short_number(samples_per_second()) + " samples/s, " + short_number(tokens_per_second()) + " tokens/s, "
            + short_time(*left) + " left";
    return text;
}

std::string short_number(double value)
{
    const char* unit = "";
    // 999.95 would round up to four digits: it belongs to the next unit.
    for (const char* next : {"k", "M", "G", "T"})
        if (std::abs(value) >= 999.5) {
            value /= 1000;
            unit = next;
        } else {
            break;
        }
    const double size = std::abs(value);
    return formatted(size >= 99.95 ? "%.0f%s" : size >= 9.995 ? "%.1f%s" : "%.2f%s", value, unit);
}

std::string short_time(double seconds)
{
    const auto whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
    if (whole >= 48 * 3600)
        return formatted("%lld d %lld h", whole / 86400, whole % 86400 / 3600);
    if (whole >= 3600)
        return formatted("%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
    return formatted("%lld:%02lld", whole / 60, whole % 60);
}

}  // namespace imprint::training
