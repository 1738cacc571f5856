// SPDX-License-Identifier: Apache-2.0
// Is one system better than another on the same queries? Paired bootstrap: what both find hard moves both.
#pragma once

#include <cstdint>
#include <span>

#include "training/evaluation/metrics.h"

namespace imprint::evaluation {

struct Comparison {
    double first = 0, second = 0;  ///< means
    double difference = 0;         ///< first − second
    Interval interval;             ///< of the difference: the middle 95 % of the resamples
    /// Two-sided, min(1, 2 · (n + 1) / (rounds + 1)) with n the resamples in which the difference is zero or has the other sign:
    /// never 0, since so many rounds cannot show that.
    double p = 1;
};

/// `first[i]` and `second[i]` are the same query's figures (hits, ranks). `groups[i]` names the thing that a query belongs to
/// where several ask about one (captions of one picture): groups are resampled whole. Empty: each query is its own. The same seed
/// gives the same numbers anywhere.
Comparison compare(std::span<const double> first, std::span<const double> second, int rounds, uint64_t seed,
                   std::span<const int> groups = {});

}  // namespace imprint::evaluation
