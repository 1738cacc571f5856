// SPDX-License-Identifier: Apache-2.0
// For each first moment, the later ones that begin in time.
#include "index/sequence.h"

#include <algorithm>
#include <vector>

namespace imprint::index {

std::optional<MomentHit> best_pair(std::span<const MomentHit> first, std::span<const MomentHit> second, double within)
{
    std::vector<MomentHit> later;
    std::copy_if(second.begin(), second.end(), std::back_inserter(later),
                 [](const MomentHit& hit) { return hit.moment.start && hit.moment.end; });
    const auto starts = [](const MomentHit& hit) { return *hit.moment.start; };
    std::ranges::stable_sort(later, {}, starts);
    std::optional<MomentHit> best;
    for (const MomentHit& a : first) {
        if (!a.moment.start || !a.moment.end)
            continue;
        const double last = *a.moment.end + within;
        for (auto b = std::ranges::upper_bound(later, *a.moment.start, {}, starts); b != later.end() && starts(*b) <= last; ++b) {
            const MomentHit& weaker = b->score < a.score ? *b : a;
            if (!best || weaker.score > best->score)
                best = {{a.moment.modality, a.moment.start, std::max(*a.moment.end, *b->moment.end)}, weaker.score, weaker.band};
        }
    }
    return best;
}

}  // namespace imprint::index
