// SPDX-License-Identifier: Apache-2.0
// Which files answer a query, in which order, before anything of them is read. Private to this folder.
#pragma once

#include "index/live_index.h"
#include "index/search.h"

namespace imprint::index {

/// [q, 1]. Throws Error(Usage) for a vector of another space's size.
std::vector<float> extended(const LiveIndex& live, std::span<const float> vector);

/// The rows that a filter leaves.
struct Scope {
    std::optional<std::vector<int64_t>> files;  ///< ascending; nothing: all
    std::vector<Modality> modalities;
    std::optional<VectorIndex::Selection> rows[2];  ///< by Modality; nothing: all
    int64_t moments[2] = {0, 0};

    Scope(const LiveIndex& live, const Filter& filter);
    bool holds(int64_t file) const;
};

struct Candidate {
    int64_t file = 0;
    float score = 0;                        ///< meaning and words
    Modality modality = Modality::Picture;  ///< of its best moment
    float coverage = 0;                     ///< see FileHit
    float wrong_share = 1;
};

/// Shares are told from at least so many files, those below the cut too, so that none hangs on where the list ends.
inline constexpr int kJudged = 50;

/// The best k files above the cut, best first: exactly those, since a file that words do not raise is among the k best by
/// meaning, and those that they raise are all looked at; below the cut too where all is asked for.
/// Within LiveIndex::with_current().
std::vector<Candidate> ranked(const LiveIndex& live, const Scope& scope, const Query& query, const QueryBackground& background,
                              const Cut& cut);

/// Meaning raised by words; a name outweighs a picture that says nothing of it.
float fused(float meaning, float coverage);

/// Of every file the lesser of its best scores for either query, best first: no pair of moments can score above it. Both
/// queries have the same filter. Within LiveIndex::with_current().
std::vector<std::pair<float, int64_t>> pair_bounds(const LiveIndex& live, const Scope& scope, const Query& first,
                                                   const QueryBackground& first_background, const Query& second,
                                                   const QueryBackground& second_background);

}  // namespace imprint::index
