// SPDX-License-Identifier: Apache-2.0
// From a query vector to ranked moments: filter, search, standardise, group by file.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "index/calibration.h"
#include "index/filter.h"
#include "index/library.h"

namespace imprint::index {

/// Of the k best files, which comes first.
enum class Order { Relevance, NewestFirst, OldestFirst };

struct Query {
    std::vector<float> vector;  ///< unit length, the library's active space
    Filter filter;
    int k = 50;                ///< files wanted (each with all its relevant moments)
    bool all = false;          ///< also return what falls below the cut
    std::string words = {};    ///< also looked for in names, folders and labels; empty: in none
    bool meaningless = false;  ///< the words say nothing: without `all`, only words find files
    Order order = Order::Relevance;
    bool exact = false;  ///< scan every moment, also where an inverted file would answer
    /// Files that the query is made of. Those that the library holds are right by themselves.
    std::vector<std::filesystem::path> examples = {};
};

struct MomentHit {
    Moment moment;
    float score = 0;  ///< calibrated, comparable across modalities and queries
    Band band = Band::Unlikely;
};

/// One file with its moments, best first. Its score is that of its best moment, raised by kWordWeight where its words
/// answer the whole question, by a share of it where they answer a part.
struct FileHit {
    std::filesystem::path path;
    media::Probe probe;
    int64_t mtime = 0;  ///< seconds since 1970
    float score = 0;
    Band band = Band::Unlikely;
    std::vector<MomentHit> moments;
    float coverage = 0;     ///< how much of the question its name, folder and labels answer: 0 to 1
    float wrong_share = 1;  ///< expected share of wrong hits among this one and all that are more relevant
    std::vector<Label> labels = {};
    int stars = 0;
};

/// What a full match in words adds to a calibrated score.
inline constexpr float kWordWeight = 3.0f;

struct SearcherOptions {
    int64_t snapshot_from = 20'000;  ///< moments; below this a rebuild is as quick as reading a snapshot
    /// Moments of one modality from which an inverted file is built, in a thread of its own while exact scans answer.
    int64_t coarse_from = 150'000;
    bool build = true;  ///< false: one that a snapshot brings is used, none is built (for a program that ends at once)
    /// Questions as people ask them (unit vectors), by which the inverted file is tuned: the encoder's text bank. None: moments
    /// of the library stand in.
    Vectors probes = {};
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
    /// more that pass the filter (and, without `query.all`, the cut). Each comes with its moments from `cut.maybe` up, and at
    /// least with its best one. Empty for an empty library. Error(Usage) for k < 1 or a vector of another space's size.
    std::vector<FileHit> search(const Query& query, const QueryBackground& background, const Cut& cut = {});
    /// Files in which a moment of `first` is followed by one of `second`, at most `within` seconds after its end. The score
    /// of a pair is that of its weaker half, its moment spans both (modality: of the first); a file comes with its best
    /// pair. Filter, k and all are `first`'s; words do not count; a still image follows nothing.
    std::vector<FileHit> sequence(const Query& first, const QueryBackground& first_background, const Query& second,
                                  const QueryBackground& second_background, double within, const Cut& cut = {});
    /// The stored vectors of a file's moments that overlap the span (all without one), in their order.
    /// Error(NotFound) when the library does not hold the file.
    struct Stored {
        std::vector<Moment> moments;
        Vectors vectors;
    };
    Stored stored(const std::filesystem::path& file, std::optional<double> from = {}, std::optional<double> to = {});
    /// The calibrated score of every moment of one file under a query, in time order (the heat strip). Of the filter only
    /// the modalities count. Error(NotFound) when the library does not hold the file.
    std::vector<MomentHit> relevance(const std::filesystem::path& file, const Query& query, const QueryBackground& background,
                                     const Cut& cut = {});
    /// Waits until what is being built is built, and keeps it on disk.
    void settle(const CancelToken& cancel = {});
    /// Moments held in memory, and how often they were all read anew because no snapshot would do.
    struct State {
        int64_t moments = 0, rebuilds = 0, snapshots_read = 0, snapshots_written = 0;
        int64_t moments_of[2] = {0, 0};  ///< by Modality
        int64_t bytes = 0;               ///< of memory, about
        bool approximate[2] = {};        ///< by Modality: searched by an inverted file
        float recall[2] = {1, 1};        ///< recall@10 against exact scans of this library, as measured when it was built
    };
    State state() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace imprint::index
