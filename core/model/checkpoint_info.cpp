// SPDX-License-Identifier: Apache-2.0
// Reads a checkpoint's own account of itself.
#include "core/model/checkpoint_info.h"

#include <xxhash.h>

#include <charconv>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace imprint::model {
namespace {

const std::string& metadata(const SafetensorsFile& file, const char* key)
{
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end())
        throw Error(ErrorKind::Malformed, file.path().string(), std::string("is no Imprint checkpoint (no ") + key + ")",
                    "Name a checkpoint that Imprint made");
    return found->second;
}

nlohmann::json parse(const SafetensorsFile& file, const char* key)
{
    try {
        return nlohmann::json::parse(metadata(file, key));
    } catch (const nlohmann::json::exception& e) {
        throw Error(ErrorKind::Malformed, file.path().string(), std::string(key) + " is not JSON (" + e.what() + ")",
                    "The file is damaged; get it again");
    }
}

}  // namespace

int read_format(const SafetensorsFile& file)
{
    const std::string& text = metadata(file, kFormatKey);
    int format = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
    const bool beyond = error == std::errc::result_out_of_range && text.front() != '-';
    if (end != text.data() + text.size() || (format < 1 && !beyond))
        throw Error(ErrorKind::Malformed, file.path().string(), "states \"" + text + "\" as its checkpoint format",
                    "The file is damaged; get it again");
    if (beyond || format > kCheckpointFormat)
        throw Error(ErrorKind::Unsupported, file.path().string(), "has the checkpoint format " + text + ", this program reads 1 … "
                                                                      + std::to_string(kCheckpointFormat),
                    "Use the Imprint that made it, or a newer one");
    return format;
}

ModelConfig read_config(const SafetensorsFile& file)
{
    read_format(file);
    return config_from_json(parse(file, kConfigKey), file.path().string());
}

nlohmann::json read_provenance(const SafetensorsFile& file)
{
    nlohmann::json provenance = parse(file, kProvenanceKey);
    if (!provenance.is_object())
        throw Error(ErrorKind::Malformed, file.path().string(), std::string(kProvenanceKey) + " is not a JSON object");
    return provenance;
}

std::string hash_hex(std::span<const std::byte> bytes)
{
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                  static_cast<unsigned long long>(hash.low64));
    return text;
}

std::string space_of(const SafetensorsFile& file, const ModelConfig& config)
{
    return config.name + "-" + hash_hex(file.bytes()).substr(0, 12) + "-" + std::to_string(config.joint_dim);
}

nlohmann::json checkpoint_info(const std::filesystem::path& path) { return checkpoint_info(SafetensorsFile(path)); }

nlohmann::json checkpoint_info(const SafetensorsFile& file)
{
    const int format = read_format(file);
    const ModelConfig config = read_config(file);
    int64_t all = 0, trainable = 0;
    for (const auto& [name, view] : file.tensors())
        if (view.dtype != DType::U8 && !name.ends_with(".row_scale"))
            all += view.count();
    for (const auto& spec : parameter_specs(config))
        if (!spec.frozen)
            trainable += spec.count();
    const EncoderCount encoder = encoder_count(config);
    const auto& size = config.picture_sizes.front();
    const int64_t picture = config.vision_stem == VisionStem::Hybrid
        ? int64_t{size.width / 32} * (size.height / 32) + 1
        : int64_t{size.width / config.patch_size} * (size.height / config.patch_size);
    return {{"name", config.name},
            {"space", space_of(file, config)},
            {"format", format},
            {"bytes", file.bytes().size()},
            {"parameters", all},
            {"encoder_parameters", encoder.all},
            {"active_parameters", encoder.active},
            {"trainable_parameters", trainable},
            {"tokens", {{"picture", picture},
                        {"sound_second", double(media::kSampleRate) / config.sound_patch_samples() * config.mel_bands / config.sound_patch},
                        {"text_most", config.max_text_tokens}}},
            {"config", to_json(config)},
            {"provenance", read_provenance(file)}};
}

}  // namespace imprint::model
