// SPDX-License-Identifier: Apache-2.0
// All moments of one vector space in memory, standardised, ready to be searched. Private to this folder.
#pragma once

#include <faiss/IndexFlat.h>

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/encoder.h"

namespace imprint::index {

/// One FAISS index a modality, over rows [v/σ, −μ/σ] of dim + 1 floats; a query is [q, 1]. Rows have dense numbers of our
/// own; a file's rows of one modality stand together, in the order of its moments. Removed rows become tombstones until
/// `compact`. One thread at a time.
class VectorIndex {
public:
    explicit VectorIndex(int dim);

    int dim() const { return dim_; }
    int64_t size() const;                    ///< rows that count
    int64_t size(Modality modality) const;
    void reserve(Modality modality, int64_t rows);

    /// `half` is [count, dim], `stats` [count, 2] as stored. The file must have no rows of this modality.
    void put(int64_t file, Modality modality, std::span<const uint16_t> half, std::span<const float> stats);
    void remove(int64_t file);
    /// Takes out the tombstones once they are more than a quarter, or at once with `force`.
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
    /// The best k files, in no order, exactly. `query` is [q, 1]. Without a selection all rows count.
    std::vector<Found> search(Modality modality, std::span<const float> query, int64_t k,
                              const std::optional<Selection>& selection) const;
    /// The standardised score of each of the file's rows of this modality: the same bits for equal rows.
    std::vector<float> scores(int64_t file, Modality modality, std::span<const float> query) const;

    // For the snapshot: rows without tombstones.
    const faiss::IndexFlatIP& rows(Modality modality) const { return shelf(modality).rows; }
    const std::vector<int64_t>& files(Modality modality) const { return shelf(modality).files; }
    /// Takes over what a snapshot held. False when the two do not fit together.
    bool restore(Modality modality, faiss::IndexFlatIP&& rows, std::vector<int64_t>&& files);

private:
    struct Span {
        int64_t first = 0, count = 0;
    };
    struct Shelf {
        faiss::IndexFlatIP rows;
        std::vector<int64_t> files;                ///< of each row
        std::unordered_map<int64_t, Span> spans;   ///< of each file
        std::vector<uint8_t> dead;                 ///< bit map of tombstones
        int64_t dead_count = 0;
    };
    Shelf& shelf(Modality modality) { return shelves_[static_cast<int>(modality)]; }
    const Shelf& shelf(Modality modality) const { return shelves_[static_cast<int>(modality)]; }
    static void index_spans(Shelf& shelf);
    /// Calls f(first row, scores) for stretches of rows in ascending order that cover all wanted rows.
    template <typename F>
    static void scan(const Shelf& shelf, std::span<const float> query, const std::optional<Selection>& selection, F&& f);

    int dim_;
    Shelf shelves_[2];
};

}  // namespace imprint::index
