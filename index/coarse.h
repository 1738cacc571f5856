// SPDX-License-Identifier: Apache-2.0
// An inverted file over rows that lie elsewhere: which few of many rows are worth scoring. Private to this folder.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/encoder.h"
#include "index/half_rows.h"

namespace imprint::index {

/// Every row belongs to the nearest of some centres, in the space of standardised rows. A query looks into the lists of the
/// `probes` centres with the highest score; what stands in them is scored exactly. Lists hold row numbers alone, four bytes
/// a row: a new row is put into its list, a tombstone stays where it is, nothing is built anew for either.
/// IVF and not HNSW: a graph keeps dozens of links for every row, and cannot forget one.
class Coarse {
public:
    /// Finds centres for the first `rows` rows and puts each into its list, on one thread. `stop` is asked a few times a
    /// second at least; then nothing is returned. Deterministic.
    static std::unique_ptr<Coarse> build(const HalfRows& rows, int64_t count, const std::function<bool()>& stop);
    /// As stored. Null where the parts do not fit together.
    static std::unique_ptr<Coarse> of_parts(std::vector<float> centres, std::vector<int32_t> list_of, int dim, int probes,
                                            float recall);

    /// Chooses `probes` so that at least kAim of the ten best rows are found, by these queries (unit vectors as people's are,
    /// without the 1); keeps what was measured. `stop` as for build(): false then.
    bool tune(const HalfRows& rows, const Vectors& queries, const std::function<bool()>& stop);

    /// Puts the rows from size() up into their lists.
    void catch_up(const HalfRows& rows);
    /// After rows were taken out: `kept` are the old numbers of those that are left, ascending.
    void renumber(std::span<const int64_t> kept);

    /// Calls f(row, score) for every row in the lists that the query looks into.
    template <typename F>
    void scan(const HalfRows& rows, std::span<const float> query, F&& f) const
    {
        constexpr size_t kAhead = 4;  // rows of a list lie far apart: the next ones are on their way while one is scored
        for (const int32_t list : nearest(query, probes_)) {
            const std::vector<int32_t>& open = lists_[static_cast<size_t>(list)];
            for (size_t i = 0; i < open.size(); ++i) {
                if (i + kAhead < open.size())
                    rows.prefetch(open[i + kAhead]);
                f(static_cast<int64_t>(open[i]), rows.score(query, open[i]));
            }
        }
    }
    /// Rows that scan() may be expected to look at.
    int64_t reach() const { return size() * probes_ / std::max(1, lists()); }

    int64_t size() const { return static_cast<int64_t>(list_of_.size()); }  ///< rows in lists
    int64_t built_from() const { return built_from_; }                      ///< rows when the centres were found
    int lists() const { return static_cast<int>(lists_.size()); }
    int probes() const { return probes_; }
    float recall() const { return recall_; }                          ///< recall@10 as tune() measured it; 0 before
    const std::vector<float>& centres() const { return centres_; }    ///< [lists, dim + 1]
    const std::vector<int32_t>& list_of() const { return list_of_; }  ///< of each row

    static constexpr float kAim = 0.985f;  // with 0.97 other queries found 0.933 of a million vectors' ten best

private:
    explicit Coarse(int dim) : dim_(dim) { }
    std::vector<int32_t> nearest(std::span<const float> query, int count) const;
    void fill_lists();

    int dim_;
    std::vector<float> centres_;
    std::vector<int32_t> list_of_;
    std::vector<std::vector<int32_t>> lists_;
    int64_t built_from_ = 0;
    int probes_ = 1;
    float recall_ = 0;
};

}  // namespace imprint::index
