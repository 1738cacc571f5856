// SPDX-License-Identifier: Apache-2.0
// A run's folder: its states, its metrics, and what may be resumed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/model/parameters.h"

namespace imprint::training {

struct RunState {
    int64_t step = 0;
    model::Parameters parameters, optimizer;
    nlohmann::json facts;  ///< recipe, corpus hash, threads: what must agree for a bit-equal resume
};

class RunFolder {
public:
    explicit RunFolder(std::filesystem::path folder);

    bool has_state() const { return newest().has_value(); }
    /// Written under a temporary name, synced, renamed; then all but the last `keep` states are removed.
    void save(const RunState& state, int keep) const;
    /// The newest whole state. Error(NotFound) where there is none.
    RunState load() const;
    /// Appends a line to metrics.jsonl.
    void metric(const nlohmann::json& line) const;
    /// Drops metrics of steps from `step` on: they belong to work that a resume does again.
    void truncate_metrics(int64_t step) const;
    const std::filesystem::path& path() const { return folder_; }

private:
    std::optional<std::filesystem::path> newest() const;
    std::vector<std::pair<int64_t, std::filesystem::path>> states() const;

    std::filesystem::path folder_;
};

}  // namespace imprint::training
