// SPDX-License-Identifier: Apache-2.0
// Draws by weight and by interval.
#include "training/samplers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>

#include "core/base/error.h"
#include "training/draws.h"

namespace imprint::training {
namespace {

constexpr uint64_t kSamplerPurpose = 0x5a3b1e;

std::vector<double> normalised(std::vector<double> values)
{
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    for (double& value : values)
        value /= sum;
    return values;
}

}  // namespace

WeightedSampler::WeightedSampler(std::span<const double> weights, uint64_t seed)
    : shares_(weights.begin(), weights.end()), seed_(seed)
{
    for (size_t i = 0; i < weights.size(); ++i)
        if (!std::isfinite(weights[i]) || weights[i] < 0)
            throw Error(ErrorKind::Usage, "entry " + std::to_string(i + 1) + " of the mixture",
                        "has a weight that is no share of steps", "Give it a finite weight of at least 0");
    if (std::none_of(weights.begin(), weights.end(), [](double weight) { return weight > 0; }))
        throw Error(ErrorKind::Usage, "the mixture", "has no entry with a weight above 0", "Add one");
    shares_ = normalised(std::move(shares_));
}

size_t WeightedSampler::choose(int64_t step) const
{
    double left = Draws(seed_, static_cast<uint64_t>(step), kSamplerPurpose).uniform();
    size_t last = 0;
    for (size_t i = 0; i < shares_.size(); ++i) {
        if (shares_[i] == 0)
            continue;
        if (left < shares_[i])
            return i;
        left -= shares_[i];
        last = i;  // the shares' sum may fall a rounding short of 1
    }
    return last;
}

SquareRootSampler::SquareRootSampler(std::span<const std::string> labels)
{
    std::map<std::string_view, int> alike;
    for (const std::string& label : labels)
        ++alike[label];
    double sum = 0;
    for (const std::string& label : labels)
        up_to_.push_back(sum += 1 / std::sqrt(static_cast<double>(alike.at(label))));
}

size_t SquareRootSampler::choose(Draws& draws) const
{
    IMPRINT_ASSERT(!up_to_.empty());
    const auto found = std::upper_bound(up_to_.begin(), up_to_.end(), draws.uniform() * up_to_.back());
    return std::min(static_cast<size_t>(found - up_to_.begin()), up_to_.size() - 1);
}

IntervalSampler::IntervalSampler(std::span<const int64_t> intervals) : intervals_(intervals.begin(), intervals.end())
{
    if (intervals_.empty())
        throw Error(ErrorKind::Usage, "the mixture", "has no entry", "Add one");
    for (size_t i = 0; i < intervals_.size(); ++i)
        if (intervals_[i] < 1)
            throw Error(ErrorKind::Usage, "entry " + std::to_string(i + 1) + " of the mixture", "has an interval below 1",
                        "1 draws it every round, 12 every twelfth");
}

int64_t IntervalSampler::steps_in(int64_t rounds) const
{
    int64_t steps = 0;
    for (const int64_t interval : intervals_)
        steps += rounds / interval;
    return steps;
}

size_t IntervalSampler::choose(int64_t step) const
{
    IMPRINT_ASSERT(step >= 0);
    // The first round by whose end more than `step` steps were taken. The most frequent entry alone bounds it.
    int64_t low = 1, high = (step + 1) * *std::min_element(intervals_.begin(), intervals_.end());
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (steps_in(middle) > step)
            high = middle;
        else
            low = middle + 1;
    }
    int64_t left = step - steps_in(low - 1);
    for (size_t i = 0; i < intervals_.size(); ++i)
        if (low % intervals_[i] == 0 && left-- == 0)
            return i;
    IMPRINT_ASSERT(!"the round holds the step");
    return 0;
}

std::vector<double> IntervalSampler::shares() const { return normalised(weights_of(intervals_)); }

std::vector<double> weights_of(std::span<const int64_t> intervals)
{
    std::vector<double> weights;
    for (const int64_t interval : intervals)
        weights.push_back(1.0 / static_cast<double>(interval));
    return weights;
}

}  // namespace imprint::training
