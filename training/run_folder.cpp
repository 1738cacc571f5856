// SPDX-License-Identifier: Apache-2.0
// States on disk.
#include "training/run_folder.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <fstream>

#include "core/base/error.h"

namespace imprint::training {
namespace {

void write_tensors(const std::filesystem::path& path, const model::Parameters& tensors)
{
    std::vector<std::pair<std::string, model::StoredTensor>> stored;
    for (const auto& [name, tensor] : tensors)
        stored.emplace_back(name, model::to_stored(tensor, tensor.scalar_type() == at::kDouble ? model::DType::F64 : model::DType::F32));
    std::vector<std::pair<std::string, model::TensorView>> views;
    for (const auto& [name, tensor] : stored)
        views.emplace_back(name, tensor.view);
    model::write_safetensors(path, {}, views);
}

model::Parameters read_tensors(const std::filesystem::path& path)
{
    const model::SafetensorsFile file(path);
    model::Parameters tensors;
    for (const auto& [name, view] : file.tensors())
        tensors[name] = model::to_tensor(view, path.string() + ": " + name);
    return tensors;
}

}  // namespace

RunFolder::RunFolder(std::filesystem::path folder) : folder_(std::move(folder))
{
    std::error_code error;
    std::filesystem::create_directories(folder_ / "checkpoints", error);
    if (error)
        throw_errno(error.value(), folder_.string(), "create the run's folder");
}

std::vector<std::pair<int64_t, std::filesystem::path>> RunFolder::states() const
{
    std::vector<std::pair<int64_t, std::filesystem::path>> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "checkpoints")) {
        const auto name = entry.path().filename().string();
        if (name.rfind("step-", 0) == 0 && name.find('.') == std::string::npos)
            found.emplace_back(std::stoll(name.substr(5)), entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::optional<std::filesystem::path> RunFolder::newest() const
{
    const auto found = states();
    return found.empty() ? std::nullopt : std::optional(found.back().second);
}

void RunFolder::save(const RunState& state, int keep) const
{
    const auto final_path = folder_ / "checkpoints" / ("step-" + std::to_string(state.step));
    const std::filesystem::path building = final_path.string() + ".building";
    std::filesystem::remove_all(building);
    std::filesystem::create_directories(building);
    write_tensors(building / "model.safetensors", state.parameters);
    write_tensors(building / "optimizer.safetensors", state.optimizer);
    std::ofstream out(building / "state.json");
    out << nlohmann::json{{"step", state.step}, {"facts", state.facts}}.dump(1) << "\n";
    out.close();
    if (!out)
        throw Error(ErrorKind::DiskFull, building.string(), "the state could not be written", "Free some space and resume");
    std::filesystem::remove_all(final_path);
    std::filesystem::rename(building, final_path);
    auto all = states();
    for (size_t i = 0; i + static_cast<size_t>(keep) < all.size(); ++i)
        std::filesystem::remove_all(all[i].second);
}

RunState RunFolder::load() const
{
    const auto newest_path = newest();
    if (!newest_path)
        throw Error(ErrorKind::NotFound, folder_.string(), "has no state to resume from", "Start it without --resume");
    RunState state;
    std::ifstream in(*newest_path / "state.json");
    const auto json = nlohmann::json::parse(in, nullptr, false);
    if (json.is_discarded())
        throw Error(ErrorKind::Malformed, (*newest_path / "state.json").string(), "is damaged",
                    "Remove that folder to resume from the state before it");
    state.step = json.at("step");
    state.facts = json.at("facts");
    state.parameters = read_tensors(*newest_path / "model.safetensors");
    state.optimizer = read_tensors(*newest_path / "optimizer.safetensors");
    return state;
}

void RunFolder::metric(const nlohmann::json& line) const
{
    std::ofstream out(folder_ / "metrics.jsonl", std::ios::app);
    out << line.dump() << "\n";
}

void RunFolder::truncate_metrics(int64_t step) const
{
    std::ifstream in(folder_ / "metrics.jsonl");
    if (!in)
        return;
    std::string kept, line;
    while (std::getline(in, line)) {
        const auto json = nlohmann::json::parse(line, nullptr, false);
        if (!json.is_discarded() && json.value("step", int64_t{0}) < step)
            kept += line + "\n";
    }
    in.close();
    std::ofstream(folder_ / "metrics.jsonl", std::ios::trunc) << kept;
}

}  // namespace imprint::training
