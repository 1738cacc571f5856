// SPDX-License-Identifier: Apache-2.0
// Loading, catching up and saving.
#include "index/live_index.h"

#include <algorithm>
#include <cstring>

namespace imprint::index {
namespace {

constexpr int kBatch = 1024;  // files a transaction: a long reader keeps the journal from shrinking

}  // namespace

LiveIndex::LiveIndex(const std::filesystem::path& folder, SearcherOptions options)
    : folder_(std::filesystem::absolute(folder)), options_(options),
      catalog_(std::make_unique<Catalog>(folder_, OpenMode::ReadOnly))
{
}

int64_t LiveIndex::number(const char* sql) const
{
    auto select = catalog_->use(sql);
    select->executeStep();
    return select->getColumn(0).getInt64();
}

int64_t LiveIndex::era(int64_t revision) const
{
    auto select = catalog_->use("SELECT nonce FROM eras WHERE first_revision <= ? ORDER BY first_revision DESC LIMIT 1");
    select->bind(1, revision);
    return select->executeStep() ? select->getColumn(0).getInt64() : 0;
}

Provenance LiveIndex::catalog_now()
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
bool LiveIndex::same_space_and_history()
{
    const Provenance now = catalog_now();
    return now.space == is_of_.space && now.dim == is_of_.dim && now.library == is_of_.library
        && now.revision >= std::max(files_to_, drops_to_) && era(files_to_) == is_of_.era
        && number("SELECT drop_floor FROM library") <= drops_to_;
}

/// Takes over some changes; true once index_ is what this transaction sees.
bool LiveIndex::step()
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

void LiveIndex::load_vectors(int64_t first, int64_t last)
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
                    {static_cast<const uint16_t*>(half.getBlob()), halves}, {static_cast<const float*>(stats.getBlob()), floats});
    }
}

void LiveIndex::rebuild(const Provenance& now)
{
    ++counters_.rebuilds;
    index_ = std::make_unique<VectorIndex>(now.dim);
    ++generation_;
    is_of_ = now;
    files_to_ = drops_to_ = now.revision;
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
void LiveIndex::load()
{
    const Provenance now = catalog_->read([&] { return catalog_now(); });
    is_of_ = now;
    if (now.space.empty())
        return;
    Provenance held = now;
    index_ = read_snapshot(snapshot_path(folder_, now.space), held);
    if (index_) {
        ++generation_;
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

void LiveIndex::save()
{
    if (index_->size() < options_.snapshot_from || changes_ * 3 < index_->size())
        return;
    index_->compact(true);
    changes_ = 0;
    if (write_snapshot(snapshot_path(folder_, is_of_.space), *index_, is_of_))
        ++counters_.snapshots_written;
}

void LiveIndex::refresh()
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
    tend_coarse();
    save();
}

/// Takes over what was built, and starts building where a shelf has grown past its inverted file.
void LiveIndex::tend_coarse()
{
    if (builder_ && builder_->done()) {
        if (auto coarse = builder_->take(); coarse && builder_->edition() == edition()) {
            index_->adopt(builder_->modality(), std::move(coarse));
            changes_ = index_->size();  // worth a snapshot
        }
        builder_.reset();
    }
    if (builder_ || !options_.build)
        return;
    for (const Modality modality : {Modality::Picture, Modality::Sound}) {
        const int64_t rows = index_->rows(modality).size();
        const Coarse* coarse = index_->coarse(modality);
        if (rows < options_.coarse_from || (coarse && rows < 2 * coarse->built_from()))
            continue;
        builder_ = std::make_unique<CoarseBuilder>(index_->rows(modality), modality, edition(), options_.probes);
        return;
    }
}

/// Of which index, and of which order of its rows, something was built.
std::pair<int64_t, int64_t> LiveIndex::edition() const { return {generation_, index_->edition()}; }

void LiveIndex::settle(const CancelToken& cancel)
{
    refresh();
    while (index_ && builder_) {
        builder_->wait(cancel);
        refresh();
    }
}

Searcher::State LiveIndex::state() const
{
    Searcher::State state = counters_;
    if (!index_)
        return state;
    state.moments = index_->size();
    state.bytes = index_->bytes();
    for (const Modality modality : {Modality::Picture, Modality::Sound}) {
        state.moments_of[static_cast<int>(modality)] = index_->size(modality);
        if (const Coarse* coarse = index_->coarse(modality)) {
            state.approximate[static_cast<int>(modality)] = true;
            state.recall[static_cast<int>(modality)] = coarse->recall();
        }
    }
    return state;
}

}  // namespace imprint::index
