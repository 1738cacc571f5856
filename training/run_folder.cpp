// SPDX-License-Identifier: Apache-2.0
// States on disk.
#include "training/run_folder.h"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "core/base/error.h"

namespace imprint::training {

namespace fs = std::filesystem;

RunFolder::RunFolder(fs::path folder, Access access) : folder_(std::move(folder))
{
    if (access == Access::Read)
        return;
    std::error_code error;
    fs::create_directories(folder_ / "checkpoints", error);
    if (error)
        throw_errno(error.value(), folder_.string(), "create the run's folder");
    lock_.emplace(folder_);
    for (const auto& entry : fs::directory_iterator(folder_ / "checkpoints"))
        if (entry.path().extension() == ".building")
            fs::remove_all(entry.path(), error);
}

std::vector<std::pair<int64_t, fs::path>> RunFolder::states() const
{
    std::vector<std::pair<int64_t, fs::path>> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder_ / "checkpoints", none)) {
        const std::string name = entry.path().filename().string();
        int64_t step = 0;
        if (!name.starts_with("step-"))
            continue;
        const auto [end, wrong] = std::from_chars(name.data() + 5, name.data() + name.size(), step);
        if (wrong == std::errc() && end == name.data() + name.size())
            found.emplace_back(step, entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

void RunFolder::save(RunState state, int keep) const
{
    std::error_code none;
    const auto written = fs::file_size(folder_ / "metrics.jsonl", none);
    state.metrics_bytes = none ? 0 : written;
    write_state(folder_ / "checkpoints" / ("step-" + std::to_string(state.step)), state);
    const auto all = states();
    for (size_t i = 0; i + static_cast<size_t>(keep) < all.size(); ++i) {
        // Its name goes first: a state that is being removed must not look like a whole one.
        const fs::path going = all[i].second.string() + ".building";
        fs::rename(all[i].second, going, none);
        fs::remove_all(none ? all[i].second : going, none);
    }
}

RunState RunFolder::load(const std::function<void(const std::string&)>& log) const
{
    auto all = states();
    for (auto state = all.rbegin(); state != all.rend(); ++state) {
        try {
            return read_state(state->second);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Malformed)
                throw;
            if (log)
                log(std::string(error.what()) + "; the state before it is used");
        }
    }
    throw Error(ErrorKind::NotFound, folder_.string(),
                all.empty() ? "has no state to resume from" : "has no whole state to resume from",
                all.empty() ? "Start it without --resume" : "Start anew in another folder");
}

void RunFolder::metric(const nlohmann::json& line) const
{
    const fs::path path = folder_ / "metrics.jsonl";
    std::ofstream out(path, std::ios::app);
    out << line.dump() << "\n";
    out.close();
    if (!out)
        throw Error(ErrorKind::DiskFull, path.string(), "a line could not be written", "Free some space and resume");
}

void RunFolder::truncate_metrics(uint64_t bytes) const
{
    const fs::path path = folder_ / "metrics.jsonl";
    std::error_code none;
    if (const auto size = fs::file_size(path, none); !none && size > bytes)
        fs::resize_file(path, bytes);
}

std::vector<std::string> differing_facts(const nlohmann::json& began, const nlohmann::json& now)
{
    std::vector<std::string> names;
    for (const auto& [name, value] : now.items())
        if (!began.contains(name) || began.at(name) != value)
            names.push_back(name);
    for (const auto& [name, value] : began.items())
        if (!now.contains(name))
            names.push_back(name);
    return names;
}

}  // namespace imprint::training
