// SPDX-License-Identifier: Apache-2.0
// All moments of one vector space in memory, ready to be searched. Private to this folder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/encoder.h"
#include "index/coarse.h"
#include "index/half_rows.h"

namespace imprint::index {

/// Rows of half floats a modality, exactly as the catalog has them; a query is [q, 1]. Rows have dense numbers of our own; a
/// file's rows of one modality stand together, in the order of its moments. Removed rows become tombstones until `compact`.
/// Takes 2·dim + 25 bytes a row or so, 8 more where an inverted file stands over the rows. One thread at a time.
class VectorIndex {
public:
    explicit VectorIndex(int dim);

    int dim() const { return dim_; }
    int64_t size() const;  ///< rows that count
    int64_t size(Modality modality) const;
    int64_t bytes() const;  ///< of memory, about

    /// `half` is [count, dim], `stats` [count, 2] as stored. The file must have no rows of this modality.
    void put(int64_t file, Modality modality, std::span<const uint16_t> half, std::span<const float> stats);
    void remove(int64_t file);
    /// Puts new rows into their lists, and takes out the tombstones once they are more than a quarter, or at once with `force`.
    void compact(bool force = false);

    /// Rows that a search may return.
    struct Selection {
        std::vector<uint8_t> bits;
        int64_t rows = 0;
    };
    Selection select(Modality modality, std::span<const int64_t> files) const;

    struct Found {
        int64_t file = 0;
        float score = 0;  ///< standardised, of the file's best selected row
    };
    /// The best k files, in no order. `query` is [q, 1]. Without a selection all rows count. Exact, on all processors, unless
    /// an inverted file was adopted, `exact` is false and the question is one that it answers well: few files wanted of many
    /// rows. Where it finds fewer files than wanted the scan is exact after all.
    std::vector<Found> search(Modality modality, std::span<const float> query, int64_t k,
                              const std::optional<Selection>& selection, bool exact = false) const;
    /// The standardised score of each of the file's rows of this modality: the same bits for equal rows, on every machine.
    std::vector<float> scores(int64_t file, Modality modality, std::span<const float> query) const;
    /// The file's vectors of this modality as stored, [count, dim], of unit length again.
    std::vector<float> unit_vectors(int64_t file, Modality modality) const;

    /// The rows as they are now, tombstones included; shares memory, for a builder in another thread.
    HalfRows rows(Modality modality) const { return shelf(modality).rows; }
    const std::vector<int64_t>& files(Modality modality) const { return shelf(modality).files; }
    /// Grows with every compaction: what was built from rows() of another edition does not fit any more.
    int64_t edition() const { return edition_; }
    const Coarse* coarse(Modality modality) const { return shelf(modality).coarse.get(); }
    /// Built from rows() of this edition.
    void adopt(Modality modality, std::unique_ptr<Coarse> coarse);
    /// Takes over what a snapshot held, `coarse` may be null. False when it does not fit together. The index must be empty.
    bool restore(Modality modality, HalfRows&& rows, std::vector<int64_t>&& files, std::unique_ptr<Coarse>&& coarse);

private:
    struct Span {
        int64_t first = 0, count = 0;
    };
    struct Shelf {
        explicit Shelf(int dim) : rows(dim) { }
        HalfRows rows;
        std::vector<int64_t> files;               ///< of each row
        std::unordered_map<int64_t, Span> spans;  ///< of each file
        std::vector<uint8_t> dead;                ///< bit map of tombstones
        int64_t dead_count = 0;
        std::unique_ptr<Coarse> coarse;
    };
    Shelf& shelf(Modality modality) { return shelves_[static_cast<size_t>(modality)]; }
    const Shelf& shelf(Modality modality) const { return shelves_[static_cast<size_t>(modality)]; }
    static void index_spans(Shelf& shelf);
    static void compact(Shelf& shelf);
    static std::vector<Found> scan_all(const Shelf& shelf, std::span<const float> query, int64_t k,
                                       const std::optional<Selection>& selection);
    static std::vector<Found> scan_lists(const Shelf& shelf, std::span<const float> query, int64_t k,
                                         const std::optional<Selection>& selection);

    int dim_;
    int64_t edition_ = 0;
    std::vector<Shelf> shelves_;
};

}  // namespace imprint::index
