// SPDX-License-Identifier: Apache-2.0
// What the project's self-contained pages share: one look for light and dark, no script, no file beside them.
#pragma once

#include <filesystem>
#include <string>

namespace imprint::training {

/// A page around `body`, which is HTML; `title` is text.
std::string html_page(const std::string& title, const std::string& body);

/// Writes a page whole or not at all. Throws Error naming the file.
void write_page(const std::filesystem::path& out, const std::string& html);

}  // namespace imprint::training
