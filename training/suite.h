// SPDX-License-Identifier: Apache-2.0
// A checkpoint measured on a person's own data sets: `imprint eval CHECKPOINT SUITE.toml`.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/cancel.h"
#include "core/encoder.h"

namespace imprint::training {

struct SuiteOptions {
    std::filesystem::path checkpoint;
    std::filesystem::path suite;    ///< the tables [[dataset]] and [[evaluation]] of a recipe, or a recipe
    std::filesystem::path against;  ///< another checkpoint to compare with; may be empty
    EncoderOptions encoder;         ///< device, precision, threads
    CancelToken cancel;
    std::function<void(const std::string&)> log;  ///< may be empty
};

/// {"checkpoint", "suite", "precision", "evaluations": as evaluate_datasets() gives them}. Beside an evaluation's figures stands,
/// where there is something to compare with, "compared": {"untrained ConSE" or the other checkpoint's name: {FIGURE: {"theirs",
/// "difference" (ours − theirs), "interval" (its middle 95 %), "p"}}}: paired bootstraps over the same samples with seed 1
/// (evaluation::compare); null where the two read other samples. Throws Error as reading the files, the data sets and the
/// evaluations do.
nlohmann::json evaluate_suite(const SuiteOptions& options);

/// The figures as a plain table for people, shares in per cent with their intervals.
std::string suite_table(const nlohmann::json& result);

}  // namespace imprint::training
