// SPDX-License-Identifier: Apache-2.0
// What a score means: how far a moment stands out of the background, and how often chance does as well.
#pragma once

#include <span>
#include <vector>

#include "core/encoder.h"
#include "index/reliability.h"

namespace imprint::index {

/// How likely a hit is right, by its calibrated score.
enum class Band { Likely, Maybe, Unlikely };
const char* band_name(Band band);  ///< "likely", "maybe", "unlikely"

/// Where bands begin, in calibrated score.
struct Cut {
    float likely = kLikelyFrom, maybe = kMaybeFrom;
    Band band(float score) const { return score >= likely ? Band::Likely : score >= maybe ? Band::Maybe : Band::Unlikely; }
};

/// What a moment is ranked by under a query: its cosine to the query less a share of its mean cosine to the text bank, so that
/// what is near to everything does not come first for everything. It is not divided by the deviation over the bank: what is told
/// apart well differs most from text to text, and would be pushed down for it.
inline constexpr float kMeanShare = 0.5f;
inline float bank_score(float cosine, float mean) { return cosine - kMeanShare * mean; }

/// The same for labels, which are compared with each other under one moment: how far texts lie apart for it is its own, and is
/// divided out. (Without, dev films' frames are labelled rightly in 62.5 % in place of 67.2 %, at 80 % coverage.)
inline float label_score(float cosine, float mean, float deviation) { return (cosine - mean) / deviation; }
enum class Scores { OfRanking, OfLabels };

/// How the query behaves on the encoder's background moments of each modality: mean and deviation of bank_score(), for a label's
/// vector of label_score().
/// The standardised score is (bank_score − mean) / deviation: how far out of the background a hit stands, in deviations. The
/// calibrated score is that on a scale where bands begin alike for every kind of moment (Reliability).
struct QueryBackground {
    float mean[2] = {0, 0}, deviation[2] = {1, 1};  ///< indexed by Modality
    /// The upper tail in standardised score: kTail of the background stands above `from`, and beyond it falls off
    /// exponentially with this mean excess. The defaults are the normal distribution's.
    float tail_from[2] = {1.2816f, 1.2816f}, tail_excess[2] = {0.4734f, 0.4734f};
    static constexpr float kTail = 0.1f;
    Reliabilities reliability = {};
    /// By how much calibrated scores of a modality are lowered where the question is about the other one (kHeldBack).
    float held_back[2] = {0, 0};

    float standardised(float score, Modality modality) const
    {
        const int m = static_cast<int>(modality);
        return (score - mean[m]) / deviation[m];
    }
    float calibrated(float score, Modality modality) const
    {
        const int m = static_cast<int>(modality);
        return reliability.of[m].calibrated(standardised(score, modality)) - held_back[m];
    }
    /// The chance that a moment that has nothing to do with the query reaches this standardised score.
    double chance(float standardised_score, Modality modality) const;
    /// How many of so many moments of this kind chance puts at this calibrated score or higher.
    double expected(float calibrated_score, Modality modality, int64_t moments) const;

    /// From the encoder's text bank and its background moments. Measures the background anew; with many queries keep a
    /// BackgroundModel instead.
    static QueryBackground of(std::span<const float> query, const Vectors& bank, const Vectors& picture, const Vectors& sound);
};

/// How far a sound must stand higher than a picture to come before it, where both are searched and the question does not speak
/// of sound. Chosen on the questions that a calibration may look at (jobs::Part::Fitted), photographs, drawings and sounds in one
/// library: right pictures among the first ten rise by more than right sounds fall.
inline constexpr float kHeldBack = 0.4f;

/// The background moments, standardised once. Immutable; any thread may ask.
class BackgroundModel {
public:
    BackgroundModel(const Vectors& bank, const Vectors& picture, const Vectors& sound, const Reliabilities& reliability = {},
                    Scores scores = Scores::OfRanking);
    /// One pass over the background: about a millisecond.
    QueryBackground of(std::span<const float> query) const;
    const Reliabilities& reliability() const { return reliability_; }

private:
    Reliabilities reliability_;
    Vectors standardised_[2];  ///< by Modality; rows whose product with [q, 1] is the score
};

/// What its share of being wrong is told from.
struct Judged {
    float score = 0;     ///< calibrated, and raised by words
    float answered = 0;  ///< how much of the question its words answer, 1 for an example itself: such a hit is right by that much
    Modality modality = Modality::Picture;
};

/// The expected share of wrong hits down to each rank; hits come best first. Of `moments` of each modality that were searched,
/// chance puts some as high as a hit or higher; how often a hit is wrong then is its kind's Reliability. A rank's share is the
/// mean over the hits down to it. As with q-values, a rank takes the least share that it or any rank below it has: shares never
/// fall down the list.
std::vector<float> wrong_shares(std::span<const Judged> hits, const QueryBackground& background, const int64_t (&moments)[2]);

}  // namespace imprint::index
