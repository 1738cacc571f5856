// SPDX-License-Identifier: Apache-2.0
// Which files and modalities a search may answer with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/encoder.h"
#include "core/media/media.h"

namespace imprint::index {

class Catalog;

/// All conditions hold at once; an empty one says nothing.
struct Filter {
    std::vector<media::Kind> kinds;
    std::vector<Modality> modalities;
    std::vector<std::filesystem::path> folders;  ///< at or below one of these
    std::optional<int64_t> after, before;        ///< seconds since 1970, both included, on taken_at, else the mtime
    std::optional<double> longer = {}, shorter = {};  ///< seconds, both included; a still image lasts no time
    std::vector<std::string> labels = {};        ///< the file carries every one of these, whole or on a span
    int stars = 0;                               ///< at least
};

/// The modalities that may answer, in their order.
std::vector<Modality> wanted_modalities(const Filter& filter);

/// Whether the filter leaves files out (its modalities do not).
bool filters_files(const Filter& filter);

/// Numbers of the files that pass, ascending. Within a read transaction of the catalog. Private to this folder.
std::vector<int64_t> matching_files(const Catalog& catalog, const Filter& filter);

}  // namespace imprint::index
