// SPDX-License-Identifier: Apache-2.0
// Vectors in memory as the catalog stores them: half floats, with what standardises their products. Private to this folder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace imprint::index {

/// out[i] = Σ_d query[d] · rows[i·dim + d], with the processor's own conversion of half floats where it has one. The last bits
/// depend on the processor, not on the number of rows or where they stand.
void dot_halves(std::span<const float> query, const uint16_t* rows, int64_t count, float* out);

/// Rows of `dim` half floats with a mean and a deviation each, as in the catalog. A row's score under [q, 1] is
/// bank_score(q·v, mean).
/// Rows lie in blocks that never move, so that adding copies nothing and another thread may read the rows that were there
/// when it began. Copies share their blocks.
class HalfRows {
public:
    static constexpr int64_t kBlock = 1 << 14;

    explicit HalfRows(int dim) : dim_(dim) { }
    int dim() const { return dim_; }
    int64_t size() const { return size_; }
    int64_t bytes() const;  ///< of memory, unfilled blocks included

    /// `half` is [count, dim], `stats` [count, 2]: mean and deviation.
    void append(std::span<const uint16_t> half, std::span<const float> stats);
    std::span<const uint16_t> half(int64_t row) const;
    std::span<const float> stats(int64_t row) const;  ///< mean, deviation
    /// [v, bank_score(0, μ)]: the row whose inner product with [q, 1] is its score.
    void standardised(int64_t row, std::span<float> out) const;

    /// Calls f(first row, scores) for stretches of rows in ascending order that cover [first, last).
    template <typename F>
    void scan(std::span<const float> query, int64_t first, int64_t last, F&& f) const
    {
        std::vector<float> scores(kStretch);
        while (first < last) {
            const int64_t in_block = first % kBlock;
            const int64_t count = std::min({last - first, kBlock - in_block, kStretch});
            score(query, first, count, scores.data());
            f(first, std::span<const float>(scores.data(), static_cast<size_t>(count)));
            first += count;
        }
    }
    /// Of one row, fast: as scan() gives it.
    float score(std::span<const float> query, int64_t row) const
    {
        float result = 0;
        score(query, row, 1, &result);
        return result;
    }
    void prefetch(int64_t row) const
    {
        const std::span<const uint16_t> halves = half(row);
        for (size_t at = 0; at < halves.size(); at += 32)  // a cache line
            __builtin_prefetch(&halves[at]);
        __builtin_prefetch(stats(row).data());
    }
    /// Of one row, the same bits on every machine.
    float exact_score(std::span<const float> query, int64_t row) const;

private:
    static constexpr int64_t kStretch = 2048;
    struct Block {
        std::unique_ptr<uint16_t[]> halves;
        std::unique_ptr<float[]> stats;
    };
    void score(std::span<const float> query, int64_t first, int64_t count, float* out) const;

    int dim_;
    int64_t size_ = 0;
    std::vector<std::shared_ptr<Block>> blocks_;
};

}  // namespace imprint::index
