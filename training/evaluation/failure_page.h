// SPDX-License-Identifier: Apache-2.0
// An evaluation as a page: its figures, and what was asked and not found, with the pictures and sounds themselves.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace imprint::evaluation {

/// One self-contained page of what evaluate() gave. Media of up to 256 KiB stand in it, larger or unreadable ones as links.
std::string failure_page(const nlohmann::json& result);

/// Writes the page whole or not at all. Throws Error naming the file.
void write_failure_page(const nlohmann::json& result, const std::filesystem::path& out);

}  // namespace imprint::evaluation
