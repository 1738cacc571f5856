// SPDX-License-Identifier: Apache-2.0
// What a score means: how far a moment stands out of the background, and how often chance does as well.
#pragma once

#include <span>
#include <vector>

#include "core/encoder.h"

namespace imprint::index {

/// How likely a hit is right, by its calibrated score.
enum class Band { Likely, Maybe, Unlikely };
const char* band_name(Band band);  ///< "likely", "maybe", "unlikely"

/// Where bands begin, in calibrated score.
struct Cut {
    float likely = 4.0f, maybe = 2.2f;
    Band band(float score) const { return score >= likely ? Band::Likely : score >= maybe ? Band::Maybe : Band::Unlikely; }
};

/// How the query behaves on the encoder's background moments of each modality: mean and deviation of the standardised
/// score z = (q·v − μ_v) / σ_v, where μ_v and σ_v are the moment's mean and deviation over the text bank.
/// The calibrated score is (z − mean) / deviation: how far out of the background a hit stands, in deviations.
struct QueryBackground {
    float mean[2] = {0, 0}, deviation[2] = {1, 1};  ///< indexed by Modality
    /// The upper tail in calibrated score: kTail of the background stands above `from`, and beyond it falls off
    /// exponentially with this mean excess. The defaults are the normal distribution's.
    float tail_from[2] = {1.2816f, 1.2816f}, tail_excess[2] = {0.4734f, 0.4734f};
    static constexpr float kTail = 0.1f;

    float calibrated(float score, Modality modality) const
    {
        const int m = static_cast<int>(modality);
        return (score - mean[m]) / deviation[m];
    }
    /// The chance that a moment that has nothing to do with the query reaches this calibrated score.
    double chance(float calibrated_score, Modality modality) const;

    /// From the encoder's text bank and its background moments. Measures the background anew; with many queries keep a
    /// BackgroundModel instead.
    static QueryBackground of(std::span<const float> query, const Vectors& bank, const Vectors& picture, const Vectors& sound);
    static QueryBackground of(std::span<const float> query, const Encoder& encoder)
    {
        return of(query, encoder.text_bank(), encoder.background(Modality::Picture), encoder.background(Modality::Sound));
    }
};

/// The background moments, standardised once. Immutable; any thread may ask.
class BackgroundModel {
public:
    BackgroundModel(const Vectors& bank, const Vectors& picture, const Vectors& sound);
    /// One pass over the background: about a millisecond.
    QueryBackground of(std::span<const float> query) const;

private:
    Vectors standardised_[2];  ///< by Modality; rows [v/σ, −μ/σ]
};

/// A library holds more that is nearly right (a goose where a swan is asked for) than the background moments, which are of
/// everything. Chosen on what tests/bench/bench_calibration.cpp measures; the shares are hopeful still.
inline constexpr double kRelated = 2;

/// From this expected share of wrong hits on, a hit that only may be right is none: no reader tells it from 100 %. As one
/// right hit is expected, that is where some two hundred wrong ones are as good.
inline constexpr float kAllWrong = 0.995f;

/// The expected share of wrong hits down to each rank. `scores` are the hits' calibrated scores, best first; `answered` is,
/// for each, how much of the question its words answer (such a hit is right by that much); `moments` how many moments of
/// each modality were searched. At a rank, moments × chance(score) wrong hits are expected, never more than hits there are, and
/// beside them a right one, as who asks for a thing mostly has it;
/// chance is that of a background whose tail falls off kRelated times as slowly as the stored one's.
/// As with q-values, a rank takes the least share that it or any rank below it has: shares never fall down the list.
std::vector<float> wrong_shares(std::span<const float> scores, std::span<const float> answered, const QueryBackground& background,
                                const int64_t (&moments)[2]);

}  // namespace imprint::index
