// SPDX-License-Identifier: Apache-2.0
// Meaning and words meet in one score: see kWordWeight.
#include "index/ranking.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "index/names.h"

namespace imprint::index {
namespace {

/// Of each file the best calibrated score of its moments, and whose it is.
struct BestMoment {
    float score;
    Modality modality;
};
using Best = std::unordered_map<int64_t, BestMoment>;

void raise(Best& best, int64_t file, const BestMoment& moment)
{
    const auto [known, fresh] = best.try_emplace(file, moment);
    if (!fresh && moment.score > known->second.score)
        known->second = moment;
}

Best best_by_meaning(const LiveIndex& live, const Scope& scope, std::span<const float> vector, int64_t k,
                     const QueryBackground& background, bool exact)
{
    Best best;
    for (const Modality modality : scope.modalities)
        for (const VectorIndex::Found& found :
             live.vectors().search(modality, vector, k, scope.rows[static_cast<int>(modality)], exact))
            raise(best, found.file, {background.calibrated(found.score, modality), modality});
    return best;
}

/// Adds the files that words found and meaning did not.
void add_named(Best& best, const std::unordered_map<int64_t, float>& coverage, const LiveIndex& live, const Scope& scope,
               std::span<const float> vector, const QueryBackground& background)
{
    for (const auto& [file, share] : coverage) {
        if (best.contains(file) || !scope.holds(file))
            continue;
        for (const Modality modality : scope.modalities)
            for (const float score : live.vectors().scores(file, modality, vector))
                raise(best, file, {background.calibrated(score, modality), modality});
    }
}

std::set<int64_t> ids_of(const Catalog& catalog, const std::vector<std::filesystem::path>& files)
{
    std::set<int64_t> ids;
    for (const std::filesystem::path& file : files) {
        auto select = catalog.use("SELECT id FROM files WHERE path = ?");
        bind_path(*select, 1, file);
        if (select->executeStep())
            ids.insert(select->getColumn(0).getInt64());
    }
    return ids;
}

}  // namespace

std::vector<float> extended(const LiveIndex& live, std::span<const float> vector)
{
    const int dim = live.vectors().dim();
    if (static_cast<int>(vector.size()) != dim)
        throw Error(ErrorKind::Usage, "query",
                    "its vector has " + std::to_string(vector.size()) + " numbers and this library's space " + live.space()
                        + " has " + std::to_string(dim),
                    "Search with the model that the library was indexed with");
    IMPRINT_ASSERT(std::all_of(vector.begin(), vector.end(), [](float x) { return std::isfinite(x); }));
    std::vector<float> result(vector.begin(), vector.end());
    result.push_back(1.0f);
    return result;
}

Scope::Scope(const LiveIndex& live, const Filter& filter) : modalities(wanted_modalities(filter))
{
    if (filters_files(filter))
        files = matching_files(live.catalog(), filter);
    for (const Modality modality : modalities) {
        const int m = static_cast<int>(modality);
        if (files)
            rows[m] = live.vectors().select(modality, *files);
        moments[m] = rows[m] ? rows[m]->rows : live.vectors().size(modality);
    }
}

bool Scope::holds(int64_t file) const { return !files || std::binary_search(files->begin(), files->end(), file); }

std::vector<Candidate> ranked(const LiveIndex& live, const Scope& scope, const Query& query, const QueryBackground& background,
                              const Cut& cut)
{
    const std::vector<float> vector = extended(live, query.vector);
    std::unordered_map<int64_t, float> coverage;
    if (!query.words.empty())
        coverage = name_coverage(live.catalog(), query.words);
    const int judged = std::max(query.k, kJudged);
    Best best = best_by_meaning(live, scope, vector, judged, background, query.exact);
    add_named(best, coverage, live, scope, vector, background);

    std::vector<Candidate> candidates;
    for (const auto& [file, moment] : best) {
        const auto named = coverage.find(file);
        const float share = named == coverage.end() ? 0 : named->second;
        if (query.all || !query.meaningless || share > 0)
            candidates.push_back({file, fused(moment.score, share), moment.modality, share});
    }
    const auto better = [](const Candidate& a, const Candidate& b) {
        return a.score != b.score ? a.score > b.score : a.file < b.file;
    };
    const auto wanted = std::min(candidates.size(), static_cast<size_t>(judged));
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(wanted), candidates.end(), better);
    candidates.resize(wanted);

    const std::set<int64_t> examples = ids_of(live.catalog(), query.examples);
    std::vector<Judged> hits;
    for (const Candidate& candidate : candidates)
        hits.push_back({candidate.score, examples.contains(candidate.file) ? 1 : candidate.coverage, candidate.modality});
    const std::vector<float> shares = wrong_shares(hits, background, scope.moments);
    for (size_t i = 0; i < wanted; ++i)
        candidates[i].wrong_share = query.meaningless && candidates[i].coverage == 0 ? 1 : shares[i];
    if (!query.all)
        std::erase_if(candidates, [&](const Candidate& candidate) { return candidate.score < cut.maybe; });
    candidates.resize(std::min(candidates.size(), static_cast<size_t>(query.k)));
    return candidates;
}

float fused(float meaning, float coverage) { return coverage > 0 ? std::max(meaning, 0.0f) + kWordWeight * coverage : meaning; }

std::vector<std::pair<float, int64_t>> pair_bounds(const LiveIndex& live, const Scope& scope, const Query& first,
                                                   const QueryBackground& first_background, const Query& second,
                                                   const QueryBackground& second_background)
{
    const int64_t all = live.vectors().size();
    const Best before = best_by_meaning(live, scope, extended(live, first.vector), all, first_background, true);
    const Best after = best_by_meaning(live, scope, extended(live, second.vector), all, second_background, true);
    std::vector<std::pair<float, int64_t>> bounds;
    for (const auto& [file, moment] : before)
        if (const auto other = after.find(file); other != after.end())
            bounds.emplace_back(std::min(moment.score, other->second.score), file);
    std::sort(bounds.begin(), bounds.end(),
              [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    return bounds;
}

}  // namespace imprint::index
