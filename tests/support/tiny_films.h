// SPDX-License-Identifier: Apache-2.0
// Films for the tiny corpus, drawn pixel by pixel.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace imprint::tests {

/// Writes <root>/videos.jsonl and the frames of its sixteen films: a square that moves to the left, to the right, up or down,
/// each in four places, four frames a film. Their captions are added to `texts`, with a role each.
void make_tiny_films(const std::filesystem::path& root, std::vector<std::string>& texts, std::vector<std::string>& roles);

}  // namespace imprint::tests
