// SPDX-License-Identifier: Apache-2.0
// Answers queries from the vector index, and keeps that index in step with the catalog.
#include "index/search.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "index/catalog.h"
#include "index/paths.h"
#include "index/snapshot.h"
#include "index/vector_index.h"

namespace imprint::index {
namespace {

constexpr int kBatch = 1024;  // files a transaction: a long reader keeps the journal from shrinking

Band band_of(float score, const Cut& cut)
{
    return score >= cut.likely ? Band::Likely : score >= cut.maybe ? Band::Maybe : Band::Unlikely;
}

float calibrated(float score, Modality modality, const QueryBackground& background)
{
    const int m = static_cast<int>(modality);
    return (score - background.mean[m]) / background.deviation[m];
}

bool filters_files(const Filter& filter)
{
    return !filter.kinds.empty() || !filter.folders.empty() || filter.after || filter.before;
}

std::vector<Modality> wanted_modalities(const Filter& filter)
{
    const auto wants = [&](Modality m) {
        return filter.modalities.empty()
               || std::find(filter.modalities.begin(), filter.modalities.end(), m) != filter.modalities.end();
    };
    std::vector<Modality> wanted;
    for (const Modality modality : {Modality::Picture, Modality::Sound})
        if (wants(modality))
            wanted.push_back(modality);
    return wanted;
}

}  // namespace

const char* band_name(Band band)
{
    switch (band) {
    case Band::Likely: return "likely";
    case Band::Maybe: return "maybe";
    case Band::Unlikely: return "unlikely";
    }
    return "unlikely";
}

class Searcher::Impl {
public:
    Impl(const std::filesystem::path& folder, SearcherOptions options)
        : folder_(std::filesystem::absolute(folder)),
          options_(options),
          catalog_(std::make_unique<Catalog>(folder_, OpenMode::ReadOnly))
    {
    }

    void refresh();
    /// Runs `answer` in one read transaction in which the index is exactly what the catalog holds. Not at all when there
    /// are no vectors.
    template <typename F>
    void with_current_index(F&& answer);

    std::vector<FileHit> search(const Query& query, const QueryBackground& background, const Cut& cut);
    std::vector<MomentHit> relevance(const std::filesystem::path& file, const Query& query,
                                     const QueryBackground& background, const Cut& cut);
    State state() const;

private:
    // These run within a read transaction.
    bool same_space_and_history();
    bool step();
    int64_t number(const char* sql) const;
    int64_t era(int64_t revision) const;
    Provenance catalog_now();
    void load_vectors(int64_t first, int64_t last);
    std::vector<int64_t> matching_files(const Filter& filter) const;
    FileHit file_hit(int64_t file, const Query& query, const QueryBackground& background, const Cut& cut) const;

    void load();
    void rebuild(const Provenance& now);
    void save();
    std::vector<float> extended(const Query& query) const;

    std::filesystem::path folder_;
    SearcherOptions options_;
    std::unique_ptr<Catalog> catalog_;
    std::unique_ptr<VectorIndex> index_;
    Provenance is_of_;            ///< what index_ holds; files and drops up to these revisions
    int64_t files_to_ = 0, drops_to_ = 0;
    int64_t space_id_ = 0;
    int64_t changes_ = 0;         ///< rows that the snapshot on disk does not have, about
    State counters_;
};

int64_t Searcher::Impl::number(const char* sql) const
{
    auto select = catalog_->use(sql);
    select->executeStep();
    return select->getColumn(0).getInt64();
}

int64_t Searcher::Impl::era(int64_t revision) const
{
    auto select = catalog_->use("SELECT nonce FROM eras WHERE first_revision <= ? ORDER BY first_revision DESC LIMIT 1");
    select->bind(1, revision);
    return select->executeStep() ? select->getColumn(0).getInt64() : 0;
}

Provenance Searcher::Impl::catalog_now()
{
    Provenance now;
    auto select = catalog_->use("SELECT library.id, revision, spaces.id, name, dim FROM library"
                                " LEFT JOIN spaces ON spaces.id = active_space");
    select->executeStep();
    const SQLite::Column id = select->getColumn(0);
    if (static_cast<size_t>(id.getBytes()) == now.library.size())
        std::memcpy(now.library.data(), id.getBlob(), now.library.size());
    now.revision = select->getColumn(1).getInt64();
    if (!select->getColumn(3).isNull()) {
        space_id_ = select->getColumn(2).getInt64();
        now.space = select->getColumn(3).getString();
        now.dim = select->getColumn(4).getInt();
    }
    now.era = era(now.revision);
    return now;
}

/// Whether index_ can be brought up to date by what changed since, rather than read anew.
bool Searcher::Impl::same_space_and_history()
{
    const Provenance now = catalog_now();
    return now.space == is_of_.space && now.dim == is_of_.dim && now.library == is_of_.library
           && now.revision >= std::max(files_to_, drops_to_) && era(files_to_) == is_of_.era
           && number("SELECT drop_floor FROM library") <= drops_to_;
}

/// Takes over some changes; true once index_ is what this transaction sees.
bool Searcher::Impl::step()
{
    const int64_t revision = number("SELECT revision FROM library");
    if (revision == files_to_ && revision == drops_to_)
        return true;
    {
        auto select = catalog_->use("SELECT file FROM dropped WHERE revision > ?");
        select->bind(1, drops_to_);
        for (; select->executeStep(); ++changes_)
            index_->remove(select->getColumn(0).getInt64());
    }
    drops_to_ = revision;
    std::vector<int64_t> changed;
    {
        auto select = catalog_->use("SELECT id, revision FROM files WHERE revision > ? ORDER BY revision LIMIT ?");
        select->bind(1, files_to_);
        select->bind(2, kBatch);
        while (select->executeStep()) {
            changed.push_back(select->getColumn(0).getInt64());
            files_to_ = select->getColumn(1).getInt64();
        }
    }
    const int64_t before = index_->size();
    for (const int64_t file : changed) {
        index_->remove(file);
        load_vectors(file, file);
    }
    changes_ += std::max<int64_t>(static_cast<int64_t>(changed.size()), index_->size() - before);
    const bool done = static_cast<int>(changed.size()) < kBatch;
    if (done)
        files_to_ = revision;
    is_of_.revision = files_to_;
    is_of_.era = era(files_to_);
    return done;
}

void Searcher::Impl::load_vectors(int64_t first, int64_t last)
{
    auto select = catalog_->use("SELECT file, modality, half, stats FROM vectors"
                                " WHERE file BETWEEN ? AND ? AND space = ? ORDER BY file, modality");
    select->bind(1, first);
    select->bind(2, last);
    select->bind(3, space_id_);
    while (select->executeStep()) {
        const SQLite::Column half = select->getColumn(2), stats = select->getColumn(3);
        const auto halves = static_cast<size_t>(half.getBytes()) / 2, floats = static_cast<size_t>(stats.getBytes()) / 4;
        if (halves * 2 != static_cast<size_t>(half.getBytes()) || floats * 4 != static_cast<size_t>(stats.getBytes())
            || floats % 2 != 0 || halves != floats / 2 * static_cast<size_t>(is_of_.dim))
            throw Error(ErrorKind::Malformed, folder_.native(),
                        "the vectors of file " + std::to_string(select->getColumn(0).getInt64()) + " have a wrong size",
                        "Index again into an empty library folder; your media files are not touched");
        index_->put(select->getColumn(0).getInt64(), static_cast<Modality>(select->getColumn(1).getInt()),
                    {static_cast<const uint16_t*>(half.getBlob()), halves},
                    {static_cast<const float*>(stats.getBlob()), floats});
    }
}

void Searcher::Impl::rebuild(const Provenance& now)
{
    ++counters_.rebuilds;
    index_ = std::make_unique<VectorIndex>(now.dim);
    is_of_ = now;
    files_to_ = drops_to_ = now.revision;
    catalog_->read([&] {
        auto select = catalog_->use("SELECT modality, count(*) FROM moments GROUP BY modality");
        while (select->executeStep())
            index_->reserve(static_cast<Modality>(select->getColumn(0).getInt()), select->getColumn(1).getInt64());
    });
    // In key ranges: what changes meanwhile has a higher revision and is taken over afterwards.
    for (int64_t from = 0, to = 0;; from = to + 1) {
        const bool more = catalog_->read([&] {
            auto select = catalog_->use("SELECT max(id) FROM (SELECT id FROM files WHERE id >= ? ORDER BY id LIMIT ?)");
            select->bind(1, from);
            select->bind(2, kBatch);
            if (!select->executeStep() || select->getColumn(0).isNull())
                return false;
            to = select->getColumn(0).getInt64();
            load_vectors(from, to);
            return true;
        });
        if (!more)
            break;
    }
    changes_ = index_->size();
}

/// A snapshot of an earlier state of this very history, or everything from the catalog.
void Searcher::Impl::load()
{
    const Provenance now = catalog_->read([&] { return catalog_now(); });
    is_of_ = now;
    if (now.space.empty())
        return;
    Provenance held = now;
    index_ = read_snapshot(snapshot_path(folder_, now.space), held);
    if (index_) {
        is_of_ = held;
        files_to_ = drops_to_ = held.revision;
        changes_ = 0;
        if (catalog_->read([&] { return same_space_and_history(); })) {
            ++counters_.snapshots_read;
            return;
        }
        index_.reset();
    }
    rebuild(now);
}

void Searcher::Impl::save()
{
    if (index_->size() < options_.snapshot_from || changes_ * 3 < index_->size())
        return;
    index_->compact(true);
    changes_ = 0;
    if (write_snapshot(snapshot_path(folder_, is_of_.space), *index_, is_of_))
        ++counters_.snapshots_written;
}

void Searcher::Impl::refresh()
{
    if (!catalog_->still_there()) {
        index_.reset();
        catalog_ = std::make_unique<Catalog>(folder_, OpenMode::ReadOnly);
    }
    try {
        if (index_ && !catalog_->read([&] { return same_space_and_history(); }))
            index_.reset();
        if (!index_)
            load();
        if (!index_)
            return;
        while (!catalog_->read([&] { return step(); }))
            ;
    } catch (...) {
        index_.reset();  // half of the changes is no state to answer from
        throw;
    }
    index_->compact();
    save();
}

template <typename F>
void Searcher::Impl::with_current_index(F&& answer)
{
    for (bool done = false; !done;) {
        refresh();
        if (!index_)
            return;
        try {
            done = catalog_->read([&] {
                if (!same_space_and_history())
                    return false;  // changed since: once more
                while (!step())
                    ;
                answer();
                return true;
            });
        } catch (...) {
            index_.reset();
            throw;
        }
    }
}

std::vector<float> Searcher::Impl::extended(const Query& query) const
{
    if (static_cast<int>(query.vector.size()) != is_of_.dim)
        throw Error(ErrorKind::Usage, "query",
                    "its vector has " + std::to_string(query.vector.size()) + " numbers and this library's space "
                        + is_of_.space + " has " + std::to_string(is_of_.dim),
                    "Search with the model that the library was indexed with");
    IMPRINT_ASSERT(std::all_of(query.vector.begin(), query.vector.end(), [](float x) { return std::isfinite(x); }));
    std::vector<float> result = query.vector;
    result.push_back(1.0f);
    return result;
}

std::vector<int64_t> Searcher::Impl::matching_files(const Filter& filter) const
{
    std::string sql = "SELECT id FROM files WHERE 1";  // what failed has no vectors anyway
    if (!filter.kinds.empty()) {
        sql += " AND state = 0 AND kind IN (-1";
        for (const media::Kind kind : filter.kinds)
            sql += "," + std::to_string(static_cast<int>(kind));
        sql += ")";
    }
    if (!filter.folders.empty()) {
        sql += " AND (0";
        for (size_t i = 0; i < filter.folders.size(); ++i)
            sql += " OR path = ? OR (path >= ? AND path < ?)";
        sql += ")";
    }
    if (filter.after)
        sql += " AND coalesce(taken_at, mtime_ns / 1000000000) >= " + std::to_string(*filter.after);
    if (filter.before)
        sql += " AND coalesce(taken_at, mtime_ns / 1000000000) <= " + std::to_string(*filter.before);
    return catalog_->dynamic(sql, [&](SQLite::Statement& select) {
        int parameter = 0;
        for (const std::filesystem::path& folder : filter.folders) {
            const PathRange range(folder);
            for (const std::string& bytes : {range.self, range.first, range.last})
                bind_path(select, ++parameter, bytes);
        }
        std::vector<int64_t> files;
        while (select.executeStep())
            files.push_back(select.getColumn(0).getInt64());
        return files;
    });
}

FileHit Searcher::Impl::file_hit(int64_t file, const Query& query, const QueryBackground& background, const Cut& cut) const
{
    FileHit hit;
    {
        static const std::string sql = std::string("SELECT ") + kFileColumnList + " FROM files WHERE id = ?";
        auto select = catalog_->use(sql.c_str());
        select->bind(1, file);
        const bool there = select->executeStep();
        IMPRINT_ASSERT(there);
        const FileRow row = file_columns(*select);
        hit.path = row.facts.path;
        hit.probe = row.probe;
        hit.mtime = row.facts.mtime_ns / 1'000'000'000;
    }
    const std::vector<Modality> wanted = wanted_modalities(query.filter);
    const std::vector<float> vector = extended(query);
    std::vector<float> scores[2];
    for (const Modality modality : wanted)
        scores[static_cast<int>(modality)] = index_->scores(file, modality, vector);
    size_t next[2] = {0, 0};
    for (const Moment& moment : read_moments(*catalog_, file)) {
        const int m = static_cast<int>(moment.modality);
        if (next[m] >= scores[m].size())
            continue;  // of a modality that was not asked for
        const float score = calibrated(scores[m][next[m]++], moment.modality, background);
        hit.moments.push_back({moment, score, band_of(score, cut)});
    }
    if (next[0] != scores[0].size() || next[1] != scores[1].size())
        throw Error(ErrorKind::Malformed, hit.path.native(), "the catalog has more vectors than moments of this file",
                    "Index again into an empty library folder; your media files are not touched");
    return hit;
}

std::vector<FileHit> Searcher::Impl::search(const Query& query, const QueryBackground& background, const Cut& cut)
{
    if (query.k < 1)
        throw Error(ErrorKind::Usage, "k", "at least one result must be wanted");
    std::vector<FileHit> hits;
    with_current_index([&] {
        hits.clear();
        const std::vector<float> vector = extended(query);
        std::optional<std::vector<int64_t>> files;
        if (filters_files(query.filter))
            files = matching_files(query.filter);
        std::unordered_map<int64_t, float> best;
        for (const Modality modality : wanted_modalities(query.filter)) {
            std::optional<VectorIndex::Selection> selection;
            if (files)
                selection = index_->select(modality, *files);
            for (const VectorIndex::Found& found : index_->search(modality, vector, query.k, selection)) {
                const float score = calibrated(found.score, modality, background);
                const auto [known, fresh] = best.try_emplace(found.file, score);
                if (!fresh)
                    known->second = std::max(known->second, score);
            }
        }
        std::vector<std::pair<float, int64_t>> order;
        for (const auto& [file, score] : best)
            if (query.all || score >= cut.maybe)
                order.emplace_back(-score, file);
        std::sort(order.begin(), order.end());
        if (order.size() > static_cast<size_t>(query.k))
            order.resize(static_cast<size_t>(query.k));
        for (const auto& [negative, file] : order) {
            FileHit hit = file_hit(file, query, background, cut);
            std::stable_sort(hit.moments.begin(), hit.moments.end(),
                             [](const MomentHit& a, const MomentHit& b) { return a.score > b.score; });
            const auto below = std::find_if(hit.moments.begin() + 1, hit.moments.end(),
                                            [&](const MomentHit& moment) { return moment.score < cut.maybe; });
            hit.moments.erase(below, hit.moments.end());
            hit.score = hit.moments.front().score;
            hit.band = hit.moments.front().band;
            hits.push_back(std::move(hit));
        }
        // The scan's last bits depend on where a row stands; a hit's own score does not, so that copies stay together.
        std::stable_sort(hits.begin(), hits.end(), [](const FileHit& a, const FileHit& b) { return a.score > b.score; });
    });
    return hits;
}

std::vector<MomentHit> Searcher::Impl::relevance(const std::filesystem::path& file, const Query& query,
                                                 const QueryBackground& background, const Cut& cut)
{
    std::optional<std::vector<MomentHit>> moments;
    with_current_index([&] {
        int64_t id = 0;
        {
            auto select = catalog_->use("SELECT id FROM files WHERE state = 0 AND path = ?");
            bind_path(*select, 1, file);
            if (!select->executeStep())
                return;
            id = select->getColumn(0).getInt64();
        }
        moments = file_hit(id, query, background, cut).moments;
    });
    if (!moments)
        throw Error(ErrorKind::NotFound, file.native(), "the library does not hold this file", "Index it first");
    std::stable_sort(moments->begin(), moments->end(), [](const MomentHit& a, const MomentHit& b) {
        return a.moment.start.value_or(0) < b.moment.start.value_or(0);
    });
    return *std::move(moments);
}

Searcher::State Searcher::Impl::state() const
{
    State state = counters_;
    state.moments = index_ ? index_->size() : 0;
    return state;
}

Searcher::Searcher(const std::filesystem::path& library_folder, SearcherOptions options)
    : impl_(std::make_unique<Impl>(library_folder, options))
{
}
Searcher::~Searcher() = default;

void Searcher::refresh()
{
    impl_->refresh();
}

std::vector<FileHit> Searcher::search(const Query& query, const QueryBackground& background, const Cut& cut)
{
    return impl_->search(query, background, cut);
}

std::vector<MomentHit> Searcher::relevance(const std::filesystem::path& file, const Query& query,
                                           const QueryBackground& background, const Cut& cut)
{
    return impl_->relevance(file, query, background, cut);
}

Searcher::State Searcher::state() const
{
    return impl_->state();
}

}  // namespace imprint::index
