// SPDX-License-Identifier: Apache-2.0
// Statistics against the text bank, for moments when they are stored and for the background of a query.
#include "index/background.h"

#include <faiss/utils/distances.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "index/calibration.h"

namespace imprint::index {
namespace {

BankStats mean_and_deviation(std::span<const float> values)
{
    double sum = 0, squares = 0;
    for (const float value : values)
        sum += value;
    const double mean = sum / static_cast<double>(values.size());
    for (const float value : values)
        squares += (value - mean) * (value - mean);
    return {static_cast<float>(mean), static_cast<float>(std::sqrt(squares / static_cast<double>(values.size())))};
}

/// Fits the exponential tail to the scores above their upper tenth. A tenth of a few hundred is a few dozen: the fit leans on
/// the normal distribution's as if that had been seen kPrior times.
void fit_tail(std::vector<float>& scores, float mean, float deviation, float& from, float& excess)
{
    constexpr size_t kPrior = 10;
    const size_t above = static_cast<size_t>(QueryBackground::kTail * static_cast<float>(scores.size()));
    if (above == 0)
        return;
    const auto edge = scores.end() - static_cast<std::ptrdiff_t>(above) - 1;
    std::nth_element(scores.begin(), edge, scores.end());
    from = (*edge - mean) / deviation;
    double sum = kPrior * static_cast<double>(excess);
    for (auto score = edge + 1; score != scores.end(); ++score)
        sum += (*score - *edge) / deviation;
    excess = static_cast<float>(sum / static_cast<double>(kPrior + above));
}

}  // namespace

BankStats bank_stats(std::span<const float> vector, const Vectors& bank)
{
    IMPRINT_ASSERT(bank.count() >= 2 && static_cast<int>(vector.size()) == bank.dim);
    std::vector<float> cosines(static_cast<size_t>(bank.count()));
    faiss::fvec_inner_products_ny(cosines.data(), vector.data(), bank.values.data(), vector.size(), cosines.size());
    BankStats stats = mean_and_deviation(cosines);
    stats.deviation = std::max(stats.deviation, 1e-3f);
    return stats;
}

BackgroundModel::BackgroundModel(const Vectors& bank, const Vectors& picture, const Vectors& sound,
                                 const Reliabilities& reliability, Scores scores)
    : reliability_(reliability)
{
    const Vectors* moments[2] = {&picture, &sound};
    for (int m = 0; m < 2; ++m) {
        standardised_[m].dim = bank.dim + 1;
        for (int i = 0; i < moments[m]->count(); ++i) {
            const std::span<const float> vector = moments[m]->row(i);
            const BankStats stats = bank_stats(vector, bank);
            const bool labels = scores == Scores::OfLabels;
            for (const float value : vector)
                standardised_[m].values.push_back(labels ? value / stats.deviation : value);
            standardised_[m].values.push_back(labels ? label_score(0, stats.mean, stats.deviation) : bank_score(0, stats.mean));
        }
    }
}

QueryBackground BackgroundModel::of(std::span<const float> query) const
{
    QueryBackground result;
    result.reliability = reliability_;
    std::vector<float> extended(query.begin(), query.end());
    extended.push_back(1.0f);
    for (int m = 0; m < 2; ++m) {
        const Vectors& rows = standardised_[m];
        IMPRINT_ASSERT(static_cast<int>(extended.size()) == rows.dim);
        if (rows.count() < 2) {  // no background known: moments would stand as directions drawn by chance do
            result.deviation[m] = 1 / std::sqrt(static_cast<float>(query.size()));
            continue;
        }
        std::vector<float> scores(static_cast<size_t>(rows.count()));
        faiss::fvec_inner_products_ny(scores.data(), extended.data(), rows.values.data(), extended.size(), scores.size());
        const BankStats stats = mean_and_deviation(scores);
        result.mean[m] = stats.mean;
        result.deviation[m] = std::max(stats.deviation, 1e-3f);
        fit_tail(scores, result.mean[m], result.deviation[m], result.tail_from[m], result.tail_excess[m]);
    }
    return result;
}

QueryBackground QueryBackground::of(std::span<const float> query, const Vectors& bank, const Vectors& picture,
                                    const Vectors& sound)
{
    return BackgroundModel(bank, picture, sound).of(query);
}

}  // namespace imprint::index
