// SPDX-License-Identifier: Apache-2.0
// The vector index on disk: a cache under faiss/ of the library folder that says exactly which state of which catalog it
// holds. Private to this folder.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "index/vector_index.h"

namespace imprint::index {

/// What a vector index is an image of.
struct Provenance {
    std::array<uint8_t, 16> library{};  ///< the catalog's own random id
    std::string space;
    int dim = 0;
    int64_t revision = 0;  ///< of the catalog
    int64_t era = 0;       ///< nonce of the writer that made that revision
};

/// faiss/<space>.index; letters that do not belong in a file name are replaced, and a hash keeps such names apart.
std::filesystem::path snapshot_path(const std::filesystem::path& folder, const std::string& space);

/// Writes to a temporary name and renames. `index` must be compact. False where it could not be written (no room, a
/// folder that is read-only): a cache that is missing costs time only.
bool write_snapshot(const std::filesystem::path& file, const VectorIndex& index, const Provenance& provenance);

/// Reads a snapshot of this library, space and dimension. Null where there is none, or where size, checksum, header or
/// contents are not what they must be; nothing is taken over before all bytes have been verified. `provenance` gives
/// library, space and dim, and takes the revision and era that the snapshot is of.
std::unique_ptr<VectorIndex> read_snapshot(const std::filesystem::path& file, Provenance& provenance);

}  // namespace imprint::index
