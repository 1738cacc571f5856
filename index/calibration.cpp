// SPDX-License-Identifier: Apache-2.0
// Tails and shares.
#include "index/calibration.h"

#include <algorithm>
#include <cmath>

namespace imprint::index {

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

double QueryBackground::chance(float standardised_score, Modality modality) const
{
    const int m = static_cast<int>(modality);
    const double beyond = static_cast<double>(standardised_score - tail_from[m]);
    if (beyond >= 0)
        return kTail * std::exp(-beyond / tail_excess[m]);
    const double normal = 0.5 * std::erfc(static_cast<double>(standardised_score) / std::sqrt(2.0));
    return std::max<double>(kTail, normal);
}

double QueryBackground::expected(float calibrated_score, Modality modality, int64_t moments) const
{
    const int m = static_cast<int>(modality);
    const float score = reliability.of[m].standardised(calibrated_score + held_back[m]);
    return static_cast<double>(moments) * chance(score, modality);
}

std::vector<float> wrong_shares(std::span<const Judged> hits, const QueryBackground& background, const int64_t (&moments)[2])
{
    std::vector<float> shares(hits.size());
    double wrong = 0;
    int rank = 0;
    for (size_t i = 0; i < hits.size(); ++i) {
        rank += hits[i].answered < 1 ? 1 : 0;  // what is right anyhow takes nobody's place
        const auto m = static_cast<int>(hits[i].modality);
        const double as_high = background.expected(hits[i].score, hits[i].modality, moments[m]);
        wrong += static_cast<double>((1 - hits[i].answered) * background.reliability.of[m].wrong(as_high, std::max(rank, 1)));
        shares[i] = static_cast<float>(wrong / static_cast<double>(i + 1));
    }
    for (size_t i = shares.size(); i-- > 1;)
        shares[i - 1] = std::min(shares[i - 1], shares[i]);
    return shares;
}

}  // namespace imprint::index
