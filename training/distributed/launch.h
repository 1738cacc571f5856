// SPDX-License-Identifier: Apache-2.0
// How this process was started: which of how many, and where they meet. Free of torch.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace imprint::training {

struct Launch {
    int rank = 0, world = 1;
    int local_rank = 0;  ///< on its machine: which GPU it takes
    std::string host;    ///< where the store is that the ranks meet at; empty when alone
    uint16_t port = 0;
    bool store_runs = false;  ///< the launcher holds the store already (torchrun); else rank 0 starts it
    std::string attempt;      ///< tells one start of torchrun's workers from the next

    bool operator==(const Launch&) const = default;
};

/// The value of an environment variable; nothing where it is not set or empty.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

/// RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and LOCAL_RANK, as torchrun sets them or a person does; else what Slurm's srun
/// sets (SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID, SLURM_STEP_NODELIST, SLURM_JOB_ID), where MASTER_ADDR and
/// MASTER_PORT go first; else alone. Error(Usage) naming the variable that is missing or makes no sense.
Launch read_launch(const Environment& environment = process_environment);

/// The first host of a Slurm node list: "gpu[07-09,12],cpu1" → "gpu07".
std::string first_host(const std::string& node_list);

}  // namespace imprint::training
