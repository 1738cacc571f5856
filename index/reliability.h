// SPDX-License-Identifier: Apache-2.0
// How much a score of one kind of moment means under one checkpoint, as fitted on questions whose answers are known.
#pragma once

#include <cstdint>
#include <span>

namespace imprint::index {

/// Where bands begin on the scale of calibrated scores, for every kind alike.
inline constexpr float kLikelyFrom = 4.0f, kMaybeFrom = 2.2f;

/// Of one kind. Scores here are standardised ones: deviations above the query's background (QueryBackground).
struct Reliability {
    float maybe = kMaybeFrom;    ///< from here on a hit is shown: kKeptRight of the right hits among the first ten are above
    float likely = kLikelyFrom;  ///< from here on a hit was more often right than wrong
    /// Log-odds that a hit is wrong: intercept + slope · ln(moments that chance puts as high or higher) + rank_slope · ln(rank).
    /// With 0, 1 and 0 that would be chance alone beside one right hit; what is nearly right (a goose where a swan is asked for)
    /// makes the slope less, and where few things are right, those come first. The defaults are for a checkpoint of which
    /// nothing is known.
    float intercept = 2.0f, slope = 0.5f, rank_slope = 0;

    /// The standardised score on the scale of calibrated ones, where bands begin alike for every kind; and back.
    float calibrated(float standardised) const
    {
        return kMaybeFrom + (standardised - maybe) * (kLikelyFrom - kMaybeFrom) / (likely - maybe);
    }
    float standardised(float calibrated) const
    {
        return maybe + (calibrated - kMaybeFrom) * (likely - maybe) / (kLikelyFrom - kMaybeFrom);
    }
    /// The expected chance that the hit at this rank (from 1) is wrong, where chance puts `expected` moments as high or higher.
    float wrong(double expected, int rank) const;
};

/// By Modality: for questions that words are part of, and for those made of examples alone, whose scores run higher.
struct Reliabilities {
    Reliability of[2];
    Reliability by_example[2];

    Reliabilities for_examples() const { return {{by_example[0], by_example[1]}, {by_example[0], by_example[1]}}; }
};

/// One of the first hits of a question whose answers are known.
struct KnownHit {
    double standardised = 0;
    double expected = 0;  ///< moments that chance puts as high or higher
    bool right = false;
    int rank = 1;
    double weight = 1;
};

/// More than the nine in ten that are wanted: kinds of pictures differ, and the cut is one for all.
inline constexpr double kKeptRight = 0.97;

/// Logistic regression of wrong on the score for `likely`, where all hits weigh alike, and of wrong on the logarithms of
/// `expected` and of the rank, where a hit weighs by one over its rank, as people look at them; `maybe` is a quantile of the
/// right hits, where it does not. A kind in which scores tell nothing gets a slope of 0, and nothing of it is ever likely.
/// Error(Malformed) with fewer than kFewestRight right hits.
Reliability fit_reliability(std::span<const KnownHit> hits);
inline constexpr int kFewestRight = 10;

}  // namespace imprint::index
