// SPDX-License-Identifier: Apache-2.0
// A file's name is the hash of what it was made of, so that it needs no bookkeeping.
#include "app/jobs/prompt_cache.h"

#include <algorithm>
#include <optional>

#include "core/base/error.h"
#include "core/model/checkpoint_info.h"
#include "core/model/safetensors.h"

namespace imprint::jobs {
namespace {

namespace fs = std::filesystem;
constexpr const char* kHash = "imprint.prompts.hash";
constexpr const char* kKeys = "keys";

std::optional<Vectors> read(const fs::path& path, int dim)
{
    std::error_code none;
    if (!fs::is_regular_file(path, none))
        return {};
    try {
        const model::SafetensorsFile file(path);
        const model::TensorView& keys = file.at(kKeys);
        const auto hash = file.metadata().find(kHash);
        if (hash == file.metadata().end() || hash->second != model::hash_hex(keys.data) || keys.shape.size() != 2
            || keys.shape[1] != dim)
            return {};
        fs::last_write_time(path, fs::file_time_type::clock::now(), none);
        return Vectors{dim, keys.to_floats(path.string())};
    } catch (const Error&) {
        return {};  // it is made again
    }
}

/// Which were used last is what their times say.
void forget_oldest(const fs::path& folder)
{
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, none))
        files.emplace_back(entry.last_write_time(none), entry.path());
    std::sort(files.rbegin(), files.rend());
    for (size_t i = kKeptPrompts; i < files.size(); ++i)
        fs::remove(files[i].second, none);
}

void keep(const fs::path& path, const Vectors& keys)
{
    try {
        std::error_code none;
        fs::create_directory(path.parent_path(), none);
        const auto bytes = std::as_bytes(std::span(keys.values));
        model::write_safetensors(path, {{kHash, model::hash_hex(bytes)}},
                                 {{kKeys, {model::DType::F32, {keys.count(), keys.dim}, bytes}}});
        forget_oldest(path.parent_path());
    } catch (const Error&) {
        // Full, or not ours to write: the next run takes as long as this one, which is all.
    }
}

}  // namespace

Vectors kept_keys(Engine& engine, const std::vector<std::string>& texts, const std::function<Vectors()>& make)
{
    Encoder& encoder = engine.encoder();
    std::string made_of = encoder.space() + '\0' + encoder.precision();
    for (const std::string& text : texts)
        made_of += '\0' + text;
    const fs::path path =
        engine.library_folder() / "prompts" / (model::hash_hex(std::as_bytes(std::span(made_of))).substr(0, 32) + ".safetensors");
    if (std::optional<Vectors> kept = read(path, encoder.dim()))
        return *std::move(kept);
    Vectors keys = make();
    std::error_code none;
    if (fs::is_directory(engine.library_folder(), none))
        keep(path, keys);
    return keys;
}

}  // namespace imprint::jobs
