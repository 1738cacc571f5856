// SPDX-License-Identifier: Apache-2.0
// What a file holds, whatever it is called and wherever it lies.
#pragma once

#include <filesystem>
#include <optional>

#include "index/library.h"

namespace imprint::jobs {

/// XXH3 (128 bits) over the size and the content: all of it up to 16 MiB, and of a larger file its first and last MiB and
/// 56 stretches of 256 KiB evenly between. Nothing where the file cannot be read to its end.
std::optional<index::Fingerprint> fingerprint_of(const std::filesystem::path& file);

}  // namespace imprint::jobs
