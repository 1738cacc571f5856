// SPDX-License-Identifier: Apache-2.0
// Resampling sums of groups.
#include "training/evaluation/comparison.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "core/base/error.h"

namespace imprint::evaluation {
namespace {

struct Group {
    double sum = 0, count = 0;
};

std::vector<Group> grouped(std::span<const double> differences, std::span<const int> groups)
{
    std::vector<Group> all;
    std::map<int, size_t> places;
    for (size_t i = 0; i < differences.size(); ++i) {
        const auto [place, fresh] = places.emplace(groups.empty() ? static_cast<int>(i) : groups[i], all.size());
        if (fresh)
            all.emplace_back();
        all[place->second].sum += differences[i];
        ++all[place->second].count;
    }
    return all;
}

}  // namespace

Comparison compare(std::span<const double> first, std::span<const double> second, int rounds, uint64_t seed,
                   std::span<const int> groups)
{
    IMPRINT_ASSERT(first.size() == second.size() && (groups.empty() || groups.size() == first.size()) && rounds > 0);
    Comparison result;
    if (first.empty())
        return result;
    result.first = mean(first);
    result.second = mean(second);
    result.difference = result.first - result.second;
    std::vector<double> differences;
    for (size_t i = 0; i < first.size(); ++i)
        differences.push_back(first[i] - second[i]);
    const std::vector<Group> all = grouped(differences, groups);

    std::mt19937_64 generator(seed);
    std::vector<double> means;
    for (int round = 0; round < rounds; ++round) {
        Group sample;
        for (size_t i = 0; i < all.size(); ++i) {  // not a std distribution: those differ between libraries
            const Group& drawn = all[static_cast<size_t>((generator() >> 32) * all.size() >> 32)];
            sample.sum += drawn.sum;
            sample.count += drawn.count;
        }
        means.push_back(sample.sum / sample.count);
    }
    std::sort(means.begin(), means.end());
    const auto at = [&](double share) { return means[static_cast<size_t>(share * (static_cast<double>(rounds) - 1) + 0.5)]; };
    result.interval = {at(0.025), at(0.975)};
    const auto against = std::min(std::count_if(means.begin(), means.end(), [](double d) { return d <= 0; }),
                                  std::count_if(means.begin(), means.end(), [](double d) { return d >= 0; }));
    result.p = std::min(1.0, 2 * (static_cast<double>(against) + 1) / (rounds + 1.0));
    return result;
}

}  // namespace imprint::evaluation
