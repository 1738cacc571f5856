// SPDX-License-Identifier: Apache-2.0
// Retrieval figures from a table of scores: where the best relevant item stands, the share of queries that find one
// among the first k, what chance would give, and bootstrap intervals. Plain arithmetic, free of media and models.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace imprint::evaluation
{

/// Scores of every query against every item, [queries, items] row-major; higher is better.
struct Scores {
    int queries = 0, items = 0;
    std::vector<float> values;

    Scores() = default;
    Scores(int query_count, int item_count)
        : queries(query_count)
        , items(item_count)
        , values(static_cast<size_t>(query_count) * item_count)
    {
    }
    std::span<float> row(int query)
    {
        return {values.data() + static_cast<size_t>(query) * items, static_cast<size_t>(items)};
    }
    std::span<const float> row(int query) const
    {
        return {values.data() + static_cast<size_t>(query) * items, static_cast<size_t>(items)};
    }
};

/// Where the best relevant item of one query stands. Equal scores stand in random order, so figures are expectations.
struct Place {
    int better = 0; ///< items above the best relevant one
    int tied = 1; ///< items with its score, itself included
    int tied_relevant = 1; ///< relevant ones among those
};

/// `relevant`: indices into `scores`, at least one.
Place place_of_best(std::span<const float> scores, std::span<const int> relevant);
/// The place under a ranking that knows nothing: all items tied.
Place place_by_chance(int items, int relevant);

/// Probability that a relevant item is among the first k: 1 − C(tied − relevant, k − better) / C(tied, k − better).
double hit_probability(const Place& place, int k);
/// Expected rank of the best relevant item, from 1: better + (tied + 1) / (relevant + 1).
double expected_rank(const Place& place);

/// Figures per query, in the order of the queries.
struct Outcome {
    std::vector<double> hit1, hit5, hit10, rank;

    size_t queries() const { return rank.size(); }
    void add(const Place& place);
    Outcome subset(std::span<const int> queries) const;
};

/// `relevant[q]`: items that answer query q.
Outcome rank_all(const Scores& scores, const std::vector<std::vector<int>>& relevant);
Outcome rank_by_chance(int items, const std::vector<std::vector<int>>& relevant);

double mean(std::span<const double> values); ///< 0 of nothing
double median(std::span<const double> values); ///< the mean of the middle two of an even number; 0 of nothing

struct Interval {
    double low = 0, high = 0;
};

/// The middle 95 % of the means of `rounds` resamples with replacement. The same seed gives the same interval anywhere.
Interval bootstrap(std::span<const double> values, int rounds, uint64_t seed);

/// Lower-case words (runs of letters and digits; bytes above 127 count as letters) of a text or a file name, without
/// trailing digits and the name's extension where `file_name` is true.
std::vector<std::string> words_of(const std::string& text, bool file_name = false);
/// What a search over file names scores: the number of the query's words found among the name's.
float matching_words(const std::vector<std::string>& query, const std::vector<std::string>& name);

} // namespace imprint::evaluation
