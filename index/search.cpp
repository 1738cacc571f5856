// SPDX-License-Identifier: Apache-2.0
// Answers queries from the vector index.
#include "index/search.h"

#include <algorithm>
#include <cmath>

#include "index/half.h"
#include "index/ranking.h"
#include "index/sequence.h"

namespace imprint::index {
namespace {

bool more_relevant(const FileHit& a, const FileHit& b) { return a.score > b.score; }

int64_t taken_at(const FileHit& hit) { return hit.probe.taken_at.value_or(hit.mtime); }

void put_in_order(std::vector<FileHit>& hits, Order order)
{
    if (order == Order::NewestFirst)
        std::stable_sort(hits.begin(), hits.end(), [](const FileHit& a, const FileHit& b) { return taken_at(a) > taken_at(b); });
    else if (order == Order::OldestFirst)
        std::stable_sort(hits.begin(), hits.end(), [](const FileHit& a, const FileHit& b) { return taken_at(a) < taken_at(b); });
}

/// Best first, and only what is relevant beside the best.
void keep_relevant(FileHit& hit, const Cut& cut)
{
    std::stable_sort(hit.moments.begin(), hit.moments.end(),
                     [](const MomentHit& a, const MomentHit& b) { return a.score > b.score; });
    hit.moments.erase(std::find_if(hit.moments.begin() + 1, hit.moments.end(),
                                   [&](const MomentHit& moment) { return moment.score < cut.maybe; }),
                      hit.moments.end());
}

int64_t id_of(const Catalog& catalog, const std::filesystem::path& file)
{
    auto select = catalog.use("SELECT id FROM files WHERE state = 0 AND path = ?");
    bind_path(*select, 1, file);
    if (!select->executeStep())
        throw Error(ErrorKind::NotFound, file.native(), "the library does not hold this file", "Index it first");
    return select->getColumn(0).getInt64();
}

}  // namespace

class Searcher::Impl {
public:
    Impl(const std::filesystem::path& folder, SearcherOptions options) : live(folder, std::move(options)) { }

    std::vector<FileHit> search(const Query& query, const QueryBackground& background, const Cut& cut);
    std::vector<FileHit> sequence(const Query& first, const QueryBackground& first_background, const Query& second,
                                  const QueryBackground& second_background, double within, const Cut& cut);
    std::vector<MomentHit> relevance(const std::filesystem::path& file, const Query& query, const QueryBackground& background,
                                     const Cut& cut);
    Stored stored(const std::filesystem::path& file, std::optional<double> from, std::optional<double> to);

    LiveIndex live;

private:
    FileHit described(int64_t file) const;
    std::vector<MomentHit> moment_hits(int64_t file, const Query& query, const QueryBackground& background, const Cut& cut) const;
};

/// What the catalog says of a file.
FileHit Searcher::Impl::described(int64_t file) const
{
    FileHit hit;
    static const std::string sql = std::string("SELECT ") + kFileColumnList
        + ", coalesce((SELECT stars FROM ratings WHERE file = files.id), 0) FROM files WHERE id = ?";
    auto select = live.catalog().use(sql.c_str());
    select->bind(1, file);
    const bool there = select->executeStep();
    IMPRINT_ASSERT(there);
    const FileRow row = file_columns(*select);
    hit.path = row.facts.path;
    hit.probe = row.probe;
    hit.mtime = row.facts.mtime_ns / 1'000'000'000;
    hit.stars = select->getColumn(select->getColumnCount() - 1).getInt();
    hit.labels = read_labels(live.catalog(), file);
    return hit;
}

/// Every moment of the wanted modalities, in its order in the file.
std::vector<MomentHit> Searcher::Impl::moment_hits(int64_t file, const Query& query, const QueryBackground& background,
                                                   const Cut& cut) const
{
    const std::vector<float> vector = extended(live, query.vector);
    std::vector<float> scores[2];
    for (const Modality modality : wanted_modalities(query.filter))
        scores[static_cast<int>(modality)] = live.vectors().scores(file, modality, vector);
    size_t next[2] = {0, 0};
    std::vector<MomentHit> hits;
    for (const Moment& moment : read_moments(live.catalog(), file)) {
        const int m = static_cast<int>(moment.modality);
        if (next[m] >= scores[m].size())
            continue;  // of a modality that was not asked for
        const float score = background.calibrated(scores[m][next[m]++], moment.modality);
        hits.push_back({moment, score, cut.band(score)});
    }
    if (next[0] != scores[0].size() || next[1] != scores[1].size())
        throw Error(ErrorKind::Malformed, "file " + std::to_string(file),
                    "the catalog has more vectors than moments of this file",
                    "Index again into an empty library folder; your media files are not touched");
    return hits;
}

std::vector<FileHit> Searcher::Impl::search(const Query& query, const QueryBackground& background, const Cut& cut)
{
    if (query.k < 1)
        throw Error(ErrorKind::Usage, "k", "at least one result must be wanted");
    std::vector<FileHit> hits;
    live.with_current([&] {
        hits.clear();
        const Scope scope(live, query.filter);
        for (const Candidate& candidate : ranked(live, scope, query, background, cut)) {
            FileHit hit = described(candidate.file);
            hit.moments = moment_hits(candidate.file, query, background, cut);
            keep_relevant(hit, cut);
            hit.coverage = candidate.coverage;
            // The scan's last bits depend on where a row stands; a hit's own score does not, so that copies stay together.
            hit.score = fused(hit.moments.front().score, hit.coverage);
            hit.wrong_share = candidate.wrong_share;
            hit.band = query.meaningless && hit.coverage == 0 ? Band::Unlikely : cut.band(hit.score);
            hits.push_back(std::move(hit));
        }
        std::stable_sort(hits.begin(), hits.end(), more_relevant);
        put_in_order(hits, query.order);
    });
    return hits;
}

std::vector<FileHit> Searcher::Impl::sequence(const Query& first, const QueryBackground& first_background, const Query& second,
                                              const QueryBackground& second_background, double within, const Cut& cut)
{
    if (first.k < 1)
        throw Error(ErrorKind::Usage, "k", "at least one result must be wanted");
    std::vector<FileHit> hits;
    live.with_current([&] {
        hits.clear();
        const Scope scope(live, first.filter);
        Query second_here = second;
        second_here.filter = first.filter;
        // No pair is better than the file's best moments for both: files are read from the best such bound down, until what
        // is left cannot come in any more.
        const auto bounds = pair_bounds(live, scope, first, first_background, second_here, second_background);
        for (const auto& [bound, file] : bounds) {
            if ((!first.all && bound < cut.maybe)
                || (hits.size() >= static_cast<size_t>(first.k) && bound < hits[static_cast<size_t>(first.k) - 1].score))
                break;
            const auto pair = best_pair(moment_hits(file, first, first_background, cut),
                                        moment_hits(file, second_here, second_background, cut), within);
            if (!pair || (!first.all && pair->score < cut.maybe))
                continue;
            FileHit hit = described(file);
            hit.score = pair->score;
            hit.band = pair->band;
            hit.moments = {*pair};
            hits.insert(std::upper_bound(hits.begin(), hits.end(), hit, more_relevant), std::move(hit));
        }
        if (hits.size() > static_cast<size_t>(first.k))
            hits.resize(static_cast<size_t>(first.k));
        put_in_order(hits, first.order);
    });
    return hits;
}

std::vector<MomentHit> Searcher::Impl::relevance(const std::filesystem::path& file, const Query& query,
                                                 const QueryBackground& background, const Cut& cut)
{
    std::optional<std::vector<MomentHit>> moments;
    live.with_current([&] { moments = moment_hits(id_of(live.catalog(), file), query, background, cut); });
    if (!moments)
        throw Error(ErrorKind::NotFound, file.native(), "the library does not hold this file", "Index it first");
    std::stable_sort(moments->begin(), moments->end(), [](const MomentHit& a, const MomentHit& b) {
        return a.moment.start.value_or(0) < b.moment.start.value_or(0);
    });
    return *std::move(moments);
}

Searcher::Stored Searcher::Impl::stored(const std::filesystem::path& file, std::optional<double> from, std::optional<double> to)
{
    std::optional<Stored> stored;
    live.with_current([&] {
        const int64_t id = id_of(live.catalog(), file);
        Stored found{{}, {live.vectors().dim(), {}}};
        size_t next[2] = {0, 0};
        std::vector<float> rows[2];
        for (const Modality modality : {Modality::Picture, Modality::Sound})
            rows[static_cast<int>(modality)] = live.vectors().unit_vectors(id, modality);
        const auto dim = static_cast<size_t>(found.vectors.dim);
        for (const Moment& moment : read_moments(live.catalog(), id)) {
            const int m = static_cast<int>(moment.modality);
            if (next[m] + dim > rows[m].size())
                continue;
            const std::span<const float> row(rows[m].data() + next[m], dim);
            next[m] += dim;
            if ((to && moment.start && *moment.start >= *to) || (from && moment.end && *moment.end <= *from))
                continue;
            found.moments.push_back(moment);
            found.vectors.append(row);
        }
        stored = std::move(found);
    });
    if (!stored)
        throw Error(ErrorKind::NotFound, file.native(), "the library does not hold this file", "Index it first");
    return *std::move(stored);
}

Searcher::Searcher(const std::filesystem::path& library_folder, SearcherOptions options)
    : impl_(std::make_unique<Impl>(library_folder, std::move(options)))
{
}
Searcher::~Searcher() = default;

void Searcher::refresh() { impl_->live.refresh(); }

std::vector<FileHit> Searcher::search(const Query& query, const QueryBackground& background, const Cut& cut)
{
    return impl_->search(query, background, cut);
}

std::vector<FileHit> Searcher::sequence(const Query& first, const QueryBackground& first_background, const Query& second,
                                        const QueryBackground& second_background, double within, const Cut& cut)
{
    return impl_->sequence(first, first_background, second, second_background, within, cut);
}

std::vector<MomentHit> Searcher::relevance(const std::filesystem::path& file, const Query& query,
                                           const QueryBackground& background, const Cut& cut)
{
    return impl_->relevance(file, query, background, cut);
}

Searcher::Stored Searcher::stored(const std::filesystem::path& file, std::optional<double> from, std::optional<double> to)
{
    return impl_->stored(file, from, to);
}

void Searcher::settle(const CancelToken& cancel) { impl_->live.settle(cancel); }

Searcher::State Searcher::state() const { return impl_->live.state(); }

}  // namespace imprint::index
