// SPDX-License-Identifier: Apache-2.0
// Rocchio's rule. Against logistic regression that leans on the query it kept more of the right files in front on photographs
// (one liked: mean average precision 0.66 against 0.64; two liked, two not: 0.74 against 0.73), and summed instead of
// averaged it is ruined by a few dislikes (0.26 against 0.77).
#include "index/feedback.h"

#include <cmath>

#include "core/base/error.h"

namespace imprint::index {

std::vector<float> refined(std::span<const float> query, const Vectors& more, const Vectors& less)
{
    constexpr double kMore = 2, kLess = 1;
    IMPRINT_ASSERT(!query.empty() || more.count() > 0);
    std::vector<double> sum(query.begin(), query.end());
    sum.resize(static_cast<size_t>(query.empty() ? more.dim : static_cast<int>(query.size())));
    const auto add = [&](const Vectors& vectors, double weight) {
        IMPRINT_ASSERT(vectors.count() == 0 || static_cast<size_t>(vectors.dim) == sum.size());
        for (int i = 0; i < vectors.count(); ++i)
            for (size_t d = 0; d < sum.size(); ++d)
                sum[d] += weight / vectors.count() * static_cast<double>(vectors.row(i)[d]);
    };
    add(more, kMore);
    add(less, -kLess);
    double squares = 0;
    for (const double value : sum)
        squares += value * value;
    if (squares < 1e-12)
        throw Error(ErrorKind::Usage, "", "what is wanted and what is not are the same", "Leave one of them out");
    std::vector<float> result;
    for (const double value : sum)
        result.push_back(static_cast<float>(value / std::sqrt(squares)));
    return result;
}

}  // namespace imprint::index
