// SPDX-License-Identifier: Apache-2.0
// What a run has written about itself, read back as curves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace imprint::training {

/// Values over steps, in the order in which they were written.
using Curve = std::vector<std::pair<int64_t, double>>;

/// Mean share of the tokens that each expert of each sparse layer took: [layer][expert].
using ExpertUse = std::vector<std::vector<double>>;

/// metrics.jsonl knows two kinds of lines. A step: {"step", "objective", NAME: number, …, "expert_use": [[share, …], …]}; an
/// evaluation: {"step", GROUP: {NAME: number, …}, …}. Names are free: what a run logs is what the report shows. A value that
/// is null (JSON's word for not finite) leaves a gap.
struct RunMetrics {
    std::map<std::string, std::map<std::string, Curve>> steps;        ///< by name, then objective ("" where a line has none)
    std::map<std::string, std::map<std::string, Curve>> evaluations;  ///< by name, then group ("dev", "dev_teacher", …)
    std::map<std::string, ExpertUse> expert_use;  ///< by objective: the mean over the last quarter of its lines
    nlohmann::json recipe;                        ///< as resolved; null where the run has none
    std::string name;                             ///< of the run's folder
    int64_t first_step = 0, last_step = -1;       ///< −1: no step yet
    double seconds = 0;                           ///< in steps, all together
    int64_t damaged_lines = 0;                    ///< not JSON objects with a step: what a crash has torn
};

/// Reads <run>/metrics.jsonl and <run>/recipe.toml. Where lines carry "seconds", adds the curves "samples/s" and "tokens/s" as
/// far as lines or the recipe's batch sizes say how much a step held. Error(NotFound) where there is no run, Error(Malformed)
/// naming the file where nothing in it is a metric.
RunMetrics read_run_metrics(const std::filesystem::path& run);

/// The same while the run goes on: each call reads the lines that have come since. For one thread at a time.
class MetricsFollower {
public:
    explicit MetricsFollower(std::filesystem::path run);
    ~MetricsFollower();
    /// True where something is new. A last line without its end waits for the next call. Begins anew where the file is not what
    /// it was, as a resume cuts it back. A run without metrics is empty, no error.
    bool read();
    const RunMetrics& metrics() const { return metrics_; }

private:
    class Reader;
    friend RunMetrics read_run_metrics(const std::filesystem::path& run);

    bool cut_back() const;
    void begin();

    std::filesystem::path run_;
    RunMetrics metrics_;
    std::unique_ptr<Reader> reader_;
    uint64_t behind_ = 0;  // bytes that were read
    std::string tail_;     // the last of them
};

}  // namespace imprint::training
