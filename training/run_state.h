// SPDX-License-Identifier: Apache-2.0
// One state of a run on disk: everything that going on bit for bit needs, in a folder that is whole or not there.
#pragma once

#include <cstdint>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/model/parameters.h"

namespace imprint::training {

struct RunState {
    int64_t step = 0;  ///< steps done
    model::Parameters parameters, optimizer;
    model::Parameters average;   ///< the averaged weights; empty in a run without them
    nlohmann::json facts;        ///< recipe, corpus, threads, ranks, …: what must agree for a bit-equal resume
    nlohmann::json data;         ///< what the mixture has learnt of its data: skipped samples; null where that is nothing
    uint64_t metrics_bytes = 0;  ///< length of metrics.jsonl when the state was written
};

/// Writes model.safetensors, optimizer.safetensors, average.safetensors (where there is one), state.json and checksums.xxh128
/// (as `xxhsum -c` reads it) into `folder`.building, syncs files and folder, and renames: a crash at any moment leaves the
/// state that was there before, or the new one. Error(DiskFull), Error(Permission), …: what was there stays whole.
void write_state(const std::filesystem::path& folder, const RunState& state);

/// Error(Malformed), naming the file, unless every file is there and has the checksum that it was written with.
RunState read_state(const std::filesystem::path& folder);

}  // namespace imprint::training
