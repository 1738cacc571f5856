// SPDX-License-Identifier: Apache-2.0
#include "training/distributed/launch.h"

#include <charconv>
#include <cstdlib>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr int kMostRanks = 1 << 16;

int64_t number(const char* name, const std::string& text, int64_t low, int64_t high)
{
    int64_t value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (wrong != std::errc() || end != text.data() + text.size() || value < low || value > high)
        throw Error(ErrorKind::Usage, name,
                    "is \"" + text + "\", not a number from " + std::to_string(low) + " to " + std::to_string(high));
    return value;
}

class Reader {
public:
    explicit Reader(const Environment& environment) : environment_(environment) { }

    std::optional<std::string> text(const char* name) const { return environment_(name); }
    std::string needed(const char* name, const char* why) const
    {
        const auto value = environment_(name);
        if (!value)
            throw Error(ErrorKind::Usage, name, std::string("is not set, and ") + why);
        return *value;
    }
    int needed_number(const char* name, const char* why, int64_t low, int64_t high) const
    {
        return static_cast<int>(number(name, needed(name, why), low, high));
    }
    int number_or(const char* name, int otherwise, int64_t low, int64_t high) const
    {
        const auto value = environment_(name);
        return value ? static_cast<int>(number(name, *value, low, high)) : otherwise;
    }

private:
    const Environment& environment_;
};

Launch by_hand(const Reader& read)
{
    Launch launch;
    launch.world = read.needed_number("WORLD_SIZE", "RANK is", 1, kMostRanks);
    launch.rank = read.needed_number("RANK", "WORLD_SIZE is", 0, launch.world - 1);
    launch.local_rank = read.number_or("LOCAL_RANK", 0, 0, kMostRanks);
    if (launch.world == 1)
        return launch;
    launch.host = read.needed("MASTER_ADDR", "WORLD_SIZE is more than one");
    launch.port = static_cast<uint16_t>(read.needed_number("MASTER_PORT", "WORLD_SIZE is more than one", 1, 65535));
    launch.store_runs = read.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
    launch.attempt = read.text("TORCHELASTIC_RESTART_COUNT").value_or("");
    return launch;
}

Launch by_slurm(const Reader& read)
{
    Launch launch;
    launch.world = read.needed_number("SLURM_STEP_NUM_TASKS", "SLURM_PROCID is", 1, kMostRanks);
    launch.rank = read.needed_number("SLURM_PROCID", "SLURM_STEP_NUM_TASKS is", 0, launch.world - 1);
    launch.local_rank = read.number_or("SLURM_LOCALID", 0, 0, kMostRanks);
    if (launch.world == 1)
        return launch;
    const auto host = read.text("MASTER_ADDR");
    launch.host = host ? *host : first_host(read.needed("SLURM_STEP_NODELIST", "neither is MASTER_ADDR"));
    // Jobs that share a machine must not share a port.
    const int64_t job = number("SLURM_JOB_ID", read.text("SLURM_JOB_ID").value_or("0"), 0, INT64_MAX);
    launch.port = static_cast<uint16_t>(read.number_or("MASTER_PORT", static_cast<int>(10000 + job % 20000), 1, 65535));
    return launch;
}

}  // namespace

std::optional<std::string> process_environment(const char* name)
{
    const char* value = std::getenv(name);
    return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

Launch read_launch(const Environment& environment)
{
    const Reader read(environment);
    if (read.text("RANK") || read.text("WORLD_SIZE"))
        return by_hand(read);
    // srun alone sets the step's own variables: in a batch script, which is one process, they are missing.
    if (read.text("SLURM_STEP_NUM_TASKS") && read.text("SLURM_PROCID"))
        return by_slurm(read);
    return {};
}

std::string first_host(const std::string& node_list)
{
    const size_t end = node_list.find_first_of(",[");
    if (end == std::string::npos || node_list[end] == ',')
        return node_list.substr(0, end);
    const size_t number_end = node_list.find_first_of("-,]", end + 1);
    const size_t close = node_list.find(']', end);
    if (close == std::string::npos)
        throw Error(ErrorKind::Usage, "SLURM_STEP_NODELIST", "\"" + node_list + "\" is not a list of hosts", "Set MASTER_ADDR");
    const std::string rest = node_list.substr(close + 1);
    return node_list.substr(0, end) + node_list.substr(end + 1, number_end - end - 1) + rest.substr(0, rest.find(','));
}

}  // namespace imprint::training
