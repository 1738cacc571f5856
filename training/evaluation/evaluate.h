// SPDX-License-Identifier: Apache-2.0
// Evaluation of a checkpoint on the corpus's held-out pools, text → media, beside its baselines on the same items:
// the untrained improved ConSE, a search over file names, and chance.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/encoder.h"

namespace imprint::evaluation
{

struct EvalOptions {
    std::filesystem::path checkpoint;
    std::vector<std::string> suites; ///< of pool_names() and cross_pool_names(); empty or "all": what the corpus has
    std::filesystem::path corpus; ///< empty: default_corpus()
    std::filesystem::path lexicon; ///< tells the meaning of nouns asked for, as search does; empty: words alone
    EncoderOptions encoder;
    int bootstrap = 1000; ///< resamples behind each interval
    uint64_t seed = 1;
    int misses = 24; ///< failed queries that each pool lists at most
    CancelToken cancel;
    std::function<void(const std::string&)> log; ///< progress, a line at a time; may be empty
};

/// Ranks every pool's whole gallery for one query per distinct label and reports R@1, R@5, R@10 (shares, with 95 %
/// bootstrap intervals over queries), median rank, and the paired difference to ConSE. Pools, groups and systems:
///   {"checkpoint", "space", "corpus", …, "pools": [{"pool", "items", "failed", "groups": [{"group", "labels",
///     "queries", "systems": {NAME: {"r1", "r1_interval", …, "median_rank"}}, "model_minus_conse": {…}}]}]}
/// Systems: "model"; "words alone" (without the lexicon); "teacher's text" (the teacher's query against the model's media); "conse" (the teacher's query against
/// concept vectors); "conse, own text" (the model's text vector against concept vectors, where the dimensions agree);
/// "file names"; "chance". Sounds have no ConSE. Groups: report, dev, all, and each source where a pool has several.
/// Each pool lists its worst "misses" under its clean labels, report queries where it has them: queries without a right item
/// among the first ten, [{"asked", "rank", "right": [FILE], "first": [{"file", "label"}]}].
/// A medium that cannot be decoded is listed under "failed" and left out of the gallery.
/// Throws Error for a missing checkpoint, corpus or pool, and Cancelled.
nlohmann::json evaluate(const EvalOptions& options);

/// The figures as a plain table for people, in per cent.
std::string readable_table(const nlohmann::json& result);

} // namespace imprint::evaluation
