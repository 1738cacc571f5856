// SPDX-License-Identifier: Apache-2.0
// From a query vector to ranked moments: filter, search, standardise, group by file.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "index/library.h"

namespace imprint::index {

/// How unlikely a hit is under the background: see calibrated scores below.
enum class Band { Likely, Maybe, Unlikely };
const char* band_name(Band band);  ///< "likely", "maybe", "unlikely"

struct Filter {
    std::vector<media::Kind> kinds;                     ///< empty: all
    std::vector<Modality> modalities;                   ///< empty: both
    std::vector<std::filesystem::path> folders;         ///< empty: anywhere; else below one of these
    std::optional<int64_t> after, before;               ///< seconds since 1970, both included, on taken_at, else the mtime
};

struct Query {
    std::vector<float> vector;  ///< unit length, the library's active space
    Filter filter;
    int k = 50;                 ///< files wanted (each with all its relevant moments)
    bool all = false;           ///< also return what falls below the cut
};

struct MomentHit {
    Moment moment;
    float score = 0;  ///< calibrated, comparable across modalities and queries
    Band band = Band::Unlikely;
};

/// One file with its moments, best first; its score is that of its best moment.
struct FileHit {
    std::filesystem::path path;
    media::Probe probe;
    int64_t mtime = 0;  ///< seconds since 1970
    float score = 0;
    Band band = Band::Unlikely;
    std::vector<MomentHit> moments;
};

/// How the query behaves on the encoder's background moments of each modality: mean and deviation of the standardised
/// score z = (q·v − μ_v) / σ_v, where μ_v and σ_v are the moment's mean and deviation over the text bank.
/// The calibrated score is (z − mean) / deviation: how far out of the background a hit stands, in deviations.
struct QueryBackground {
    float mean[2] = {0, 0}, deviation[2] = {1, 1};  ///< indexed by Modality
    /// From the encoder's text bank and its background moments. Measures the background anew; with many queries keep a
    /// BackgroundModel instead.
    static QueryBackground of(std::span<const float> query, const Vectors& bank, const Vectors& picture,
                              const Vectors& sound);
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

/// Where bands begin, in calibrated score.
struct Cut {
    float likely = 4.0f, maybe = 2.5f;
};

struct SearcherOptions {
    int64_t snapshot_from = 20'000;  ///< moments; below this a rebuild is as quick as reading a snapshot
};

/// Searches one library. Holds the FAISS cache in memory and catches it up with the catalog when revision() moved; a cache
/// that does not match is rebuilt, and no answer ever comes from a stale one. One thread at a time.
class Searcher {
public:
    /// Throws Error(NotFound) where there is no library, and what the catalog throws when it cannot be read.
    explicit Searcher(const std::filesystem::path& library_folder, SearcherOptions options = {});
    ~Searcher();
    Searcher(const Searcher&) = delete;
    Searcher& operator=(const Searcher&) = delete;

    /// Catches up with the catalog (also done by search()).
    void refresh();
    /// The best `query.k` files, best first, from one unchanging view of the catalog; fewer only where the library has no
    /// more that pass the filter (and, without `query.all`, the cut). Each comes with its moments from `cut.maybe` up, and
    /// at least with its best one. Empty for an empty library. Error(Usage) for k < 1 or a vector of another space's size.
    std::vector<FileHit> search(const Query& query, const QueryBackground& background, const Cut& cut = {});
    /// The calibrated score of every moment of one file under a query, in time order (the heat strip). Of the filter only
    /// the modalities count. Error(NotFound) when the library does not hold the file.
    std::vector<MomentHit> relevance(const std::filesystem::path& file, const Query& query,
                                     const QueryBackground& background, const Cut& cut = {});
    /// Moments held in memory, and how often they were all read anew because no snapshot would do.
    struct State {
        int64_t moments = 0, rebuilds = 0, snapshots_read = 0, snapshots_written = 0;
    };
    State state() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace imprint::index
