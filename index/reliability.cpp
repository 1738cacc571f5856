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

using Feature = double (*)(const KnownHit&);

double score_of(const KnownHit& hit) { return hit.standardised; }
double chance_of(const KnownHit& hit) { return std::log(hit.expected); }
double depth_of(const KnownHit& hit) { return std::log(hit.rank); }

/// Gaussian elimination; `matrix` is symmetric and positive definite, so no rows need to be swapped.
std::vector<double> solved(std::vector<std::vector<double>> matrix, std::vector<double> right)
{
    const size_t n = right.size();
    for (size_t pivot = 0; pivot < n; ++pivot)
        for (size_t row = pivot + 1; row < n; ++row) {
            const double factor = matrix[row][pivot] / matrix[pivot][pivot];
            for (size_t column = pivot; column < n; ++column)
                matrix[row][column] -= factor * matrix[pivot][column];
            right[row] -= factor * right[pivot];
        }
    for (size_t row = n; row-- > 0;) {
        for (size_t column = row + 1; column < n; ++column)
            right[row] -= matrix[row][column] * right[column];
        right[row] /= matrix[row][row];
    }
    return right;
}

double as_people_look(const KnownHit& hit) { return hit.weight / hit.rank; }
double each_alike(const KnownHit& hit) { return hit.weight; }

/// Log-odds of wrong: an intercept, then a slope for each feature, by Newton's method. A trace of shrinkage keeps the odds finite
/// where right and wrong never mix.
std::vector<double> odds_of_wrong(std::span<const KnownHit> hits, const std::vector<Feature>& features, Feature weight_of)
{
    constexpr double kShrinkage = 1e-3;
    constexpr int kSteps = 50;
    double total = 0;
    for (const KnownHit& hit : hits)
        total += weight_of(hit);
    const size_t n = features.size() + 1;
    std::vector<double> line(n);
    for (int step = 0; step < kSteps; ++step) {
        std::vector<double> slope(n);
        std::vector<std::vector<double>> curve(n, std::vector<double>(n));
        for (size_t i = 0; i < n; ++i) {
            slope[i] = kShrinkage * line[i];
            curve[i][i] = kShrinkage;
        }
        std::vector<double> x(n, 1.0);
        for (const KnownHit& hit : hits) {
            double odds = line[0];
            for (size_t i = 1; i < n; ++i) {
                x[i] = features[i - 1](hit);
                odds += line[i] * x[i];
            }
            const double weight = weight_of(hit) * static_cast<double>(hits.size()) / total;
            const double wrong = 1 / (1 + std::exp(-odds)), error = wrong - (hit.right ? 0 : 1);
            for (size_t i = 0; i < n; ++i) {
                slope[i] += weight * error * x[i];
                for (size_t j = 0; j < n; ++j)
                    curve[i][j] += weight * wrong * (1 - wrong) * x[i] * x[j];
            }
        }
        const std::vector<double> ahead = solved(std::move(curve), std::move(slope));
        for (size_t i = 0; i < n; ++i)
            line[i] -= ahead[i];
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

}  // namespace

float Reliability::wrong(double expected, int rank) const
{
    constexpr double kLeast = 1e-30;
    const double odds = static_cast<double>(intercept) + static_cast<double>(slope) * std::log(std::max(expected, kLeast))
        + static_cast<double>(rank_slope) * std::log(rank);
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
    const std::vector<double> by_score = odds_of_wrong(hits, {score_of}, each_alike);
    const auto even = static_cast<float>(by_score[1] < 0 ? -by_score[0] / by_score[1] : 1e6);
    result.likely = std::clamp(even, result.maybe + kNearest, result.maybe + kNever);

    // What would make a hit that chance gives more easily, or that stands lower, more often right, is left out.
    std::vector<Feature> features{chance_of, depth_of};
    std::vector<double> odds;
    for (bool settled = false; !settled;) {
        odds = odds_of_wrong(hits, features, as_people_look);
        settled = true;
        for (size_t i = features.size(); i-- > 0 && settled;)
            if (odds[i + 1] < 0) {
                features.erase(features.begin() + static_cast<std::ptrdiff_t>(i));
                settled = false;
            }
    }
    const auto slope_of = [&](Feature feature) {
        const auto found = std::find(features.begin(), features.end(), feature);
        return found == features.end() ? 0.0f : static_cast<float>(odds[static_cast<size_t>(found - features.begin()) + 1]);
    };
    result.intercept = static_cast<float>(odds[0]);
    result.slope = slope_of(chance_of);
    result.rank_slope = slope_of(depth_of);
    return result;
}

}  // namespace imprint::index
