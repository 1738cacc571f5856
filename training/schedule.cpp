// SPDX-License-Identifier: Apache-2.0
// Three pieces, end to end.
#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace imprint::training {
namespace {

double along(double from, double to, int64_t step, int64_t steps)
{
    return from + (to - from) * static_cast<double>(step) / static_cast<double>(steps);
}

}  // namespace

double Schedule::rate(int64_t step) const
{
    if (step < pre_warmup)
        return along(pre_warmup_from, warmup_from, step, pre_warmup);
    step -= pre_warmup;
    if (step < warmup)
        return along(warmup_from, peak, step, warmup);
    const double done = static_cast<double>(step - warmup) / static_cast<double>(std::max<int64_t>(1, steps - warmup));
    return last + (peak - last) * (1 + std::cos(std::numbers::pi * std::min(1.0, done))) / 2;
}

void Schedule::check() const
{
    const auto refuse = [](const char* field, const char* reason) { throw Error(ErrorKind::Usage, field, reason); };
    const std::pair<const char*, double> rates[] = {
        {"pre_warmup_from", pre_warmup_from}, {"warmup_from", warmup_from}, {"peak", peak}, {"last", last}};
    for (const auto& [field, value] : rates)
        if (!std::isfinite(value) || value < 0)
            refuse(field, "must be a learning rate of at least 0");
    const std::pair<const char*, int64_t> lengths[] = {{"steps", steps}, {"pre_warmup", pre_warmup}, {"warmup", warmup}};
    for (const auto& [field, value] : lengths)
        if (value < 0)
            refuse(field, "must not be negative");
    if (pre_warmup + warmup >= steps)
        refuse("warmup", "leaves no step of the run for the cosine");
}

}  // namespace imprint::training
