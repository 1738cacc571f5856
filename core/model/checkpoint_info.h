// SPDX-License-Identifier: Apache-2.0
// What a checkpoint says of itself, read from its header without allocating weights. Free of torch.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "core/model/config.h"
#include "core/model/safetensors.h"

namespace imprint::model {

/// The version of the checkpoint layout that this program writes. It reads this one and all before it; for each,
/// tests/data/models/v<N> holds files that must stay loadable. A new field of the configuration with a default that means
/// "as before" is no new version; a tensor that is renamed, stored otherwise or newly required is. Version 2 adds 8-bit rows
/// and the text trunk.
inline constexpr int kCheckpointFormat = 2;

/// Metadata keys of a checkpoint.
inline constexpr const char* kFormatKey = "imprint.format";
inline constexpr const char* kConfigKey = "imprint.config";
inline constexpr const char* kTokenizerKey = "imprint.tokenizer_xxh128";
inline constexpr const char* kProvenanceKey = "imprint.provenance";

/// The version of the layout a checkpoint is written in, 1 … kCheckpointFormat. Error(Malformed) where it states none,
/// Error(Unsupported) where a newer Imprint wrote it.
int read_format(const SafetensorsFile& file);

/// The configuration in a checkpoint's metadata. Throws what read_format throws, and Error(Malformed) where it has none.
ModelConfig read_config(const SafetensorsFile& file);

/// What the checkpoint says of its own making: a JSON object. Error(Malformed) otherwise.
nlohmann::json read_provenance(const SafetensorsFile& file);

/// Hex digits of the xxh3-128 of some bytes.
std::string hash_hex(std::span<const std::byte> bytes);

/// "<model name>-<12 digits of the file's hash>-<dim>": two files embed into the same space only if they are the same file.
std::string space_of(const SafetensorsFile& file, const ModelConfig& config);

/// {"name", "space", "format", "parameters", "encoder_parameters", "active_parameters", "trainable_parameters",
///  "bytes", "config", "provenance", "tokens": {…}}.
nlohmann::json checkpoint_info(const std::filesystem::path& path);
nlohmann::json checkpoint_info(const SafetensorsFile& file);

}  // namespace imprint::model
