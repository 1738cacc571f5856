// SPDX-License-Identifier: Apache-2.0
// Paths, which are bytes, in formats that are text.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace imprint::jobs {

using Json = nlohmann::ordered_json;

/// The text with U+FFFD for what is not UTF-8.
std::string valid_text(const std::string& bytes);

/// Sets `key` to the path as UTF-8 text, and where bytes had to be replaced also `<key>_bytes` to all of them in base64.
void put_path(Json& object, const std::string& key, const std::filesystem::path& path);

}  // namespace imprint::jobs
