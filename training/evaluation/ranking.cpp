// SPDX-License-Identifier: Apache-2.0
// See ranking.h.
#include "training/evaluation/ranking.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

namespace imprint::evaluation {

std::vector<std::optional<Error>> in_parallel(int count, const std::function<void(int)>& work)
{
    std::vector<std::optional<Error>> errors(static_cast<size_t>(count));
    std::atomic<int> next{0};
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t)
        threads.emplace_back([&] {
            for (int i = next++; i < count; i = next++) {
                try {
                    work(i);
                } catch (const Error& error) {
                    errors[i] = error;
                }
            }
        });
    threads.clear();  // joins
    for (const auto& error : errors)
        if (error && error->kind() == ErrorKind::Cancelled)
            throw *error;
    return errors;
}

void append(Vectors& all, const Vectors& some)
{
    all.dim = some.dim;
    all.values.insert(all.values.end(), some.values.begin(), some.values.end());
}

Scores scores_of(const Vectors& queries, const Vectors& rows, const std::vector<int>& item_of_row, int items)
{
    Scores scores(queries.count(), items);
    std::fill(scores.values.begin(), scores.values.end(), -std::numeric_limits<float>::infinity());
    for (int query = 0; query < queries.count(); ++query) {
        const auto q = queries.row(query);
        for (int row = 0; row < rows.count(); ++row) {
            const auto r = rows.row(row);
            double product = 0;
            for (size_t i = 0; i < q.size(); ++i)
                product += static_cast<double>(q[i]) * r[i];
            float& best = scores.row(query)[item_of_row[row]];
            best = std::max(best, static_cast<float>(product));
        }
    }
    return scores;
}

nlohmann::json figures(const Outcome& outcome, int bootstrap_rounds, uint64_t seed)
{
    const auto with_interval = [&](nlohmann::json& target, const char* name, const std::vector<double>& hits) {
        const Interval interval = bootstrap(hits, bootstrap_rounds, seed);
        target[name] = mean(hits);
        target[std::string(name) + "_interval"] = {interval.low, interval.high};
    };
    nlohmann::json result;
    with_interval(result, "r1", outcome.hit1);
    with_interval(result, "r5", outcome.hit5);
    with_interval(result, "r10", outcome.hit10);
    result["median_rank"] = median(outcome.rank);
    return result;
}

}  // namespace imprint::evaluation
