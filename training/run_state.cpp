// SPDX-License-Identifier: Apache-2.0
#include "training/run_state.h"

#include <ATen/ATen.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "core/base/error.h"
#include "training/files.h"

namespace imprint::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModel = "model.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kAverage = "average.safetensors";
constexpr const char* kState = "state.json";
constexpr const char* kChecksums = "checksums.xxh128";

// A state holds every tensor as it is: a conversion would be a step that the unbroken run does not take.
constexpr struct {
    at::ScalarType held;
    model::DType stored;
} kTypes[] = {{at::kFloat, model::DType::F32}, {at::kDouble, model::DType::F64}, {at::kLong, model::DType::I64}};

void write_tensors(const fs::path& path, const model::Parameters& tensors)
{
    std::vector<std::pair<std::string, model::StoredTensor>> stored;
    for (const auto& [name, tensor] : tensors) {
        const auto type =
            std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& row) { return row.held == tensor.scalar_type(); });
        IMPRINT_ASSERT(type != std::end(kTypes));
        stored.emplace_back(name, model::to_stored(tensor, type->stored));
    }
    std::vector<std::pair<std::string, model::TensorView>> views;
    for (const auto& [name, tensor] : stored)
        views.emplace_back(name, tensor.view);
    model::write_safetensors(path, {}, views);
}

model::Parameters read_tensors(const fs::path& path)
{
    const model::SafetensorsFile file(path);
    model::Parameters tensors;
    for (const auto& [name, view] : file.tensors()) {
        const auto type =
            std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& row) { return row.stored == view.dtype; });
        if (type == std::end(kTypes))
            throw Error(ErrorKind::Malformed, path.string(), name + " is of no type that a state holds");
        at::Tensor& tensor = tensors[name] = at::empty(view.shape, type->held);
        std::memcpy(tensor.mutable_data_ptr(), view.data.data(), view.data.size());
    }
    return tensors;
}

std::string checksum(const fs::path& path)
{
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw Error(ErrorKind::Malformed, path.string(), "is missing or cannot be read");
    const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> hash(XXH3_createState(), XXH3_freeState);
    XXH3_128bits_reset(hash.get());
    std::vector<char> buffer(1 << 20);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0)
        XXH3_128bits_update(hash.get(), buffer.data(), static_cast<size_t>(in.gcount()));
    const XXH128_hash_t value = XXH3_128bits_digest(hash.get());
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(value.high64),
                  static_cast<unsigned long long>(value.low64));
    return text;
}

void verify(const fs::path& folder)
{
    std::ifstream in(folder / kChecksums);
    if (!in)
        throw Error(ErrorKind::Malformed, (folder / kChecksums).string(), "is missing");
    std::map<std::string, std::string> wanted;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string sum, name;
        words >> sum >> name;
        wanted[name] = sum;
    }
    for (const char* name : {kModel, kOptimizer, kState})
        wanted.try_emplace(name);  // an empty sum is never right
    for (const auto& [name, sum] : wanted)
        if (name.find('/') != std::string::npos || checksum(folder / name) != sum)
            throw Error(ErrorKind::Malformed, (folder / name).string(), "is not as it was written");
}

// Where the file system can swap two names, the old state is there until the new one is.
void put_in_place(const fs::path& building, const fs::path& folder)
{
    if (::renameat2(AT_FDCWD, building.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
        sync_folder(folder.parent_path());
        fs::remove_all(building);
        return;
    }
    fs::remove_all(folder);
    if (::rename(building.c_str(), folder.c_str()) != 0)
        throw_errno(errno, folder.string(), "put the state in its place");
    sync_folder(folder.parent_path());
}

}  // namespace

void write_state(const fs::path& folder, const RunState& state)
{
    const fs::path building = folder.string() + ".building";
    try {
        fs::remove_all(building);
        if (::mkdir(building.c_str(), 0777) != 0)
            throw_errno(errno, building.string(), "create the state's folder");
        write_tensors(building / kModel, state.parameters);
        write_tensors(building / kOptimizer, state.optimizer);
        if (!state.average.empty())
            write_tensors(building / kAverage, state.average);
        write_file_synced(
            building / kState,
            nlohmann::json{
                {"step", state.step}, {"facts", state.facts}, {"data", state.data}, {"metrics_bytes", state.metrics_bytes}}
                    .dump(1)
                + "\n");
        std::string sums;
        for (const char* name : {kModel, kOptimizer, kAverage, kState})
            if (fs::exists(building / name))
                sums += checksum(building / name) + "  " + name + "\n";
        write_file_synced(building / kChecksums, sums);
        sync_folder(building);
        put_in_place(building, folder);
    } catch (const Error& error) {
        std::error_code ignored;  // the first error is the one to tell
        fs::remove_all(building, ignored);
        throw Error(error.kind(), error.subject(), error.reason(),
                    error.kind() == ErrorKind::DiskFull ? "Free some space and resume; the states before this one are whole"
                                                        : "The states before this one are whole");
    } catch (const fs::filesystem_error& error) {
        throw_errno(error.code().value(), building.string(), "write the state");
    }
}

RunState read_state(const fs::path& folder)
{
    verify(folder);
    std::ifstream in(folder / kState);
    const auto json = nlohmann::json::parse(in, nullptr, false);
    RunState state;
    try {
        state.step = json.at("step");
        state.facts = json.at("facts");
        state.data = json.at("data");
        state.metrics_bytes = json.at("metrics_bytes");
    } catch (const nlohmann::json::exception&) {
        throw Error(ErrorKind::Malformed, (folder / kState).string(), "is of another version of the program");
    }
    state.parameters = read_tensors(folder / kModel);
    state.optimizer = read_tensors(folder / kOptimizer);
    if (fs::exists(folder / kAverage))
        state.average = read_tensors(folder / kAverage);
    return state;
}

}  // namespace imprint::training
