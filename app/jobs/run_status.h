// SPDX-License-Identifier: Apache-2.0
// A training run from outside: its folder says how far it is, who works on it, and whether it can go on.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace imprint::jobs {

struct RunStatus {
    /// The process on this machine that has the folder's lock now; asked of /proc, the lock itself is not touched.
    std::optional<pid_t> process;
    bool elsewhere = false;             ///< the last one ran on another machine: whether it still does cannot be seen from here
    std::string host;                   ///< where the last one ran, as the lock says; empty: none did
    std::optional<int64_t> saved_step;  ///< of the newest state; none: nothing to resume from
    std::filesystem::path checkpoint;   ///< the finished model; empty: not there yet
    std::string last_words;             ///< the last lines of what the program said (kRunLog), where the window started it
};

/// Where a run that the window starts puts what the program says.
inline constexpr const char* kRunLog = "train.log";

/// Of a folder that is no run everything is empty. Any thread.
RunStatus run_status(const std::filesystem::path& run);

/// Asks the run's process to write a state and stop (SIGTERM). False where none works on it.
bool stop_run(const std::filesystem::path& run);

/// The program and its arguments that start `recipe` in `run`, or go on with it: the command beside this program.
/// Error(NotFound) where it is not there.
std::vector<std::string> train_command(const std::filesystem::path& recipe, const std::filesystem::path& run, bool resume);

/// `parent`/`name`, or with a number behind it where that is taken already.
std::filesystem::path free_run_folder(const std::filesystem::path& parent, const std::string& name);

/// Folders below `parent` that hold a run, the one that changed last first.
std::vector<std::filesystem::path> runs_in(const std::filesystem::path& parent);

}  // namespace imprint::jobs
