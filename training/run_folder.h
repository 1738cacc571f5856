// SPDX-License-Identifier: Apache-2.0
// A run's folder: its states, its metrics, and what may be resumed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "training/files.h"
#include "training/run_state.h"

namespace imprint::training {

/// For one thread at a time.
class RunFolder {
public:
    /// Write: creates the folder, keeps every other writer out and clears away what a killed one has left half written.
    /// Read: for the ranks beside the writing one.
    enum class Access { Write, Read };
    /// Error(Busy) while another program writes here.
    explicit RunFolder(std::filesystem::path folder, Access access = Access::Write);

    bool has_state() const { return !states().empty(); }
    /// write_state() to checkpoints/step-N; then all but the last `keep` states are removed.
    void save(RunState state, int keep) const;
    /// The newest whole state. A damaged one is told to `log` and left where it is. Error(NotFound) where there is none.
    RunState load(const std::function<void(const std::string&)>& log = {}) const;
    /// Appends a line to metrics.jsonl. Error(DiskFull) names it.
    void metric(const nlohmann::json& line) const;
    /// Cuts metrics.jsonl back to its first bytes: RunState::metrics_bytes of the state that the run goes on from, 0 without
    /// one. The rest belongs to steps that are done again.
    void truncate_metrics(uint64_t bytes) const;
    const std::filesystem::path& path() const { return folder_; }

private:
    std::vector<std::pair<int64_t, std::filesystem::path>> states() const;

    std::filesystem::path folder_;
    std::optional<FolderLock> lock_;
};

/// The facts in which two runs differ, by name: what a refusal tells. Empty: a resume is bit-equal.
std::vector<std::string> differing_facts(const nlohmann::json& began, const nlohmann::json& now);

}  // namespace imprint::training
