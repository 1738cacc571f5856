// SPDX-License-Identifier: Apache-2.0
// What the suites of an evaluation share: work on every processor, scores of vectors, figures with their intervals.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/encoder.h"
#include "training/evaluation/metrics.h"

namespace imprint::evaluation {

/// Runs `work(i)` for i in [0, count) on every processor; what it throws as Error comes back per index, but for Cancelled,
/// which is thrown on.
std::vector<std::optional<Error>> in_parallel(int count, const std::function<void(int)>& work);

/// Puts rows after rows; an empty `all` takes their dimension.
void append(Vectors& all, const Vectors& some);

/// [queries, items]: the best inner product over an item's rows.
Scores scores_of(const Vectors& queries, const Vectors& rows, const std::vector<int>& item_of_row, int items);

/// {"r1", "r1_interval", "r5", …, "r10_interval", "median_rank"}: shares with 95 % bootstrap intervals over the queries.
nlohmann::json figures(const Outcome& outcome, int bootstrap_rounds, uint64_t seed);

}  // namespace imprint::evaluation
