// SPDX-License-Identifier: Apache-2.0
// See search_fixture.h.
#include "tests/index/search_fixture.h"

#include <cmath>

#include "index/half.h"

namespace imprint::test {

using namespace imprint::index;

bool anything(const FileEntry&, const Moment&) { return true; }

std::vector<double> Reference::scores(const FileEntry& entry, std::span<const float> query, const QueryBackground& background)
{
    std::vector<double> scores;
    for (int i = 0; i < entry.vectors.count(); ++i) {
        std::vector<double> vector;
        for (const float value : entry.vectors.row(i))
            vector.push_back(from_half(to_half(value)));
        double mean = 0, product = 0;
        for (int b = 0; b < bank().count(); ++b) {
            double cosine = 0;
            for (size_t d = 0; d < vector.size(); ++d)
                cosine += vector[d] * bank().row(b)[d];
            mean += cosine / bank().count();
        }
        for (size_t d = 0; d < vector.size(); ++d)
            product += vector[d] * query[d];
        const int m = static_cast<int>(entry.moments[static_cast<size_t>(i)].modality);
        scores.push_back((product - kMeanShare * mean - background.mean[m]) / background.deviation[m]);
    }
    return scores;
}

std::vector<Reference::Hit> Reference::search(const Query& query, const QueryBackground& background, const Cut& cut,
                                              const Accept& accept) const
{
    std::vector<Hit> hits;
    for (const auto& [path, entry] : files_) {
        double best = -1e30;
        const std::vector<double> all = scores(entry, query.vector, background);
        for (size_t i = 0; i < all.size(); ++i)
            if (accept(entry, entry.moments[i]))
                best = std::max(best, all[i]);
        if (best > -1e29 && (query.all || best >= cut.maybe))
            hits.push_back({path, best});
    }
    std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
    if (hits.size() > static_cast<size_t>(query.k))
        hits.resize(static_cast<size_t>(query.k));
    return hits;
}

std::string differs(const std::vector<FileHit>& hits, const std::vector<Reference::Hit>& wanted)
{
    if (hits.size() != wanted.size())
        return std::to_string(hits.size()) + " hits instead of " + std::to_string(wanted.size());
    for (size_t i = 0; i < hits.size(); ++i) {
        if (hits[i].path.native() != wanted[i].path)
            return "hit " + std::to_string(i) + " is " + hits[i].path.native() + " instead of " + wanted[i].path;
        if (std::abs(hits[i].score - wanted[i].score) > 1e-4)
            return "hit " + std::to_string(i) + " scores " + std::to_string(hits[i].score) + " instead of "
                + std::to_string(wanted[i].score);
    }
    return {};
}

Library SearchFixture::writer() const
{
    Library library(folder(), OpenMode::ReadWrite);
    library.use_space(kSpace, kDim);
    return library;
}

void SearchFixture::put(Library& library, const FileEntry& entry)
{
    library.put(entry, kSpace, bank());
    reference.put(entry);
}

void SearchFixture::fill(Library& library, int moments, const std::string& prefix)
{
    static constexpr media::Kind kKinds[] = {media::Kind::Image, media::Kind::Video, media::Kind::Audio};
    for (int i = 0, made = 0; made < moments; ++i) {
        FileEntry file = entry(random, prefix + std::to_string(i), kKinds[i % 3], 1 + i % 11);
        file.facts.mtime_ns = 1'000'000'000LL * i;
        if (i % 4 == 0)
            file.probe.taken_at = 100'000 + i;
        made += file.vectors.count();
        put(library, file);
    }
}

Query SearchFixture::query(int k, bool all)
{
    return {.vector = random_vectors(random, 1).values, .filter = {}, .k = k, .all = all};
}

std::vector<float> SearchFixture::near(const Query& query, double cosine)
{
    const Vectors noise = random_vectors(random, 1);
    double along = 0, squares = 0;
    for (int d = 0; d < kDim; ++d)
        along += noise.values[d] * query.vector[d];
    std::vector<double> across(kDim);
    for (int d = 0; d < kDim; ++d) {
        across[d] = noise.values[d] - along * query.vector[d];
        squares += across[d] * across[d];
    }
    std::vector<float> vector(kDim);
    for (int d = 0; d < kDim; ++d)
        vector[d] = static_cast<float>(cosine * query.vector[d] + std::sqrt((1 - cosine * cosine) / squares) * across[d]);
    return vector;
}

std::string SearchFixture::disagreement(Searcher& searcher, int k)
{
    for (int i = 0; i < 3; ++i) {
        const Query any = query(k);
        const std::string difference =
            differs(searcher.search(any, kBackground), reference.search(any, kBackground, {}, anything));
        if (!difference.empty())
            return difference;
    }
    return {};
}

}  // namespace imprint::test
