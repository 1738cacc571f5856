// SPDX-License-Identifier: Apache-2.0
// A run's metrics as TensorBoard shows them.
#pragma once

#include <filesystem>

#include <nlohmann/json_fwd.hpp>

#include "training/log/event_file.h"

namespace imprint::training {

/// Mirrors lines of metrics.jsonl (run_metrics.h says what they hold) into an event file. For one thread at a time.
class RunEvents {
public:
    /// `folder`: of the events; `first_step`: where the run begins or goes on. Times are taken from the system's clock.
    RunEvents(const std::filesystem::path& folder, int64_t first_step);

    /// Every number under its name: "loss/picture-text" where a line has an objective (but "rate", which has none of its own),
    /// "dev/r1" for a group's figures, "expert_use/picture-text/layer 1/expert 3". Null and text are left out.
    void add(const nlohmann::json& line);
    void recipe(const nlohmann::json& recipe);

private:
    EventFile file_;
};

}  // namespace imprint::training
