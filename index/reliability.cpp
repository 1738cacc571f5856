// SPDX-License-Identifier: Apache-2.0
// Two logistic regressions and a quantile.
#include "index/reliability.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace imprint::index {
namespace {

struct Line {
    double intercept = 0, slope = 0;
};

/// Log-odds of wrong by a hit's feature, by Newton's method. A trace of shrinkage keeps the odds finite where the two never mix.
template <class Feature>
Line wrong_by(std::span<const KnownHit> hits, Feature feature)
{
    constexpr double kShrinkage = 1e-3;
    constexpr int kSteps = 50;
    double total = 0;
    for (const KnownHit& hit : hits)
        total += hit.weight / hit.rank;
    Line line;
    for (int step = 0; step < kSteps; ++step) {
        double g0 = kShrinkage * line.intercept, g1 = kShrinkage * line.slope;
        double h00 = kShrinkage, h01 = 0, h11 = kShrinkage;
        for (const KnownHit& hit : hits) {
            const double weight = hit.weight / hit.rank * static_cast<double>(hits.size()) / total;
            const double x = feature(hit), wrong = 1 / (1 + std::exp(-(line.intercept + line.slope * x)));
            const double error = weight * (wrong - (hit.right ? 0 : 1)), curve = weight * wrong * (1 - wrong);
            g0 += error;
            g1 += error * x;
            h00 += curve;
            h01 += curve * x;
            h11 += curve * x * x;
        }
        const double determinant = h00 * h11 - h01 * h01;
        line.intercept -= (h11 * g0 - h01 * g1) / determinant;
        line.slope -= (h00 * g1 - h01 * g0) / determinant;
    }
    return line;
}

/// The score above which kKeptRight of the right hits are.
double keeping_score(std::span<const KnownHit> hits)
{
    std::vector<KnownHit> right;
    std::copy_if(hits.begin(), hits.end(), std::back_inserter(right), [](const KnownHit& hit) { return hit.right; });
    std::sort(right.begin(), right.end(), [](const KnownHit& a, const KnownHit& b) { return a.standardised < b.standardised; });
    double all = 0, below = 0;
    for (const KnownHit& hit : right)
        all += hit.weight;
    for (const KnownHit& hit : right)
        if (below += hit.weight; below >= (1 - kKeptRight) * all)
            return hit.standardised;
    return right.back().standardised;
}

/// The log-odds where scores tell nothing: those of all hits together.
double plain_odds(std::span<const KnownHit> hits)
{
    double right = 0, wrong = 0;
    for (const KnownHit& hit : hits)
        (hit.right ? right : wrong) += hit.weight / hit.rank;
    return std::log(std::max(wrong, 1e-3) / right);
}

}  // namespace

float Reliability::wrong(double expected) const
{
    constexpr double kLeast = 1e-30;
    const double odds = static_cast<double>(intercept) + static_cast<double>(slope) * std::log(std::max(expected, kLeast));
    return static_cast<float>(1 / (1 + std::exp(-odds)));
}

Reliability fit_reliability(std::span<const KnownHit> hits)
{
    const auto right = std::count_if(hits.begin(), hits.end(), [](const KnownHit& hit) { return hit.right; });
    if (right < kFewestRight)
        throw Error(ErrorKind::Malformed, "the questions with known answers",
                    "have " + std::to_string(right) + " right hits among their first ten, and " + std::to_string(kFewestRight)
                        + " are needed to say what a score means");
    constexpr float kNever = 50, kNearest = 0.5f;  // deviations between the two bands
    Reliability result;
    result.maybe = static_cast<float>(keeping_score(hits));
    const Line by_score = wrong_by(hits, [](const KnownHit& hit) { return hit.standardised; });
    const auto even = static_cast<float>(by_score.slope < 0 ? -by_score.intercept / by_score.slope : 1e6);
    result.likely = std::clamp(even, result.maybe + kNearest, result.maybe + kNever);
    const Line by_chance = wrong_by(hits, [](const KnownHit& hit) { return std::log(hit.expected); });
    result.intercept = static_cast<float>(by_chance.slope > 0 ? by_chance.intercept : plain_odds(hits));
    result.slope = static_cast<float>(std::max(by_chance.slope, 0.0));
    return result;
}

}  // namespace imprint::index
