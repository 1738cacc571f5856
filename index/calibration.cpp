// SPDX-License-Identifier: Apache-2.0
// Tails and shares.
#include "index/calibration.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace imprint::index {
namespace {

double with_related(double chance)
{
    constexpr double kTail = QueryBackground::kTail;
    return chance < kTail ? kTail * std::pow(chance / kTail, 1 / kRelated) : chance;
}

}  // namespace

const char* band_name(Band band)
{
    switch (band) {
    case Band::Likely:
        return "likely";
    case Band::Maybe:
        return "maybe";
    case Band::Unlikely:
        return "unlikely";
    }
    return "unlikely";
}

double QueryBackground::chance(float calibrated_score, Modality modality) const
{
    const int m = static_cast<int>(modality);
    const double beyond = static_cast<double>(calibrated_score - tail_from[m]);
    if (beyond >= 0)
        return kTail * std::exp(-beyond / tail_excess[m]);
    const double normal = 0.5 * std::erfc(static_cast<double>(calibrated_score) / std::sqrt(2.0));
    return std::max<double>(kTail, normal);
}

std::vector<float> wrong_shares(std::span<const float> scores, std::span<const float> answered, const QueryBackground& background,
                                const int64_t (&moments)[2])
{
    IMPRINT_ASSERT(scores.size() == answered.size());
    std::vector<float> shares(scores.size());
    double unanswered = 0;
    for (size_t i = 0; i < scores.size(); ++i) {
        unanswered += 1 - static_cast<double>(answered[i]);
        double wrong = 0;
        for (const Modality modality : {Modality::Picture, Modality::Sound})
            wrong +=
                static_cast<double>(moments[static_cast<int>(modality)]) * with_related(background.chance(scores[i], modality));
        const double of_those_shown = std::min(wrong, unanswered) / static_cast<double>(i + 1);
        shares[i] = static_cast<float>(std::min(of_those_shown, wrong / (wrong + 1)));
    }
    for (size_t i = shares.size(); i-- > 1;)
        shares[i - 1] = std::min(shares[i - 1], shares[i]);
    return shares;
}

}  // namespace imprint::index
