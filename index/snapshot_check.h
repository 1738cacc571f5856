// SPDX-License-Identifier: Apache-2.0
// The vector indexes on disk against the catalog. Private to this folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "index/catalog.h"

namespace imprint::index {

struct SnapshotState {
    std::filesystem::path file;
    std::string fault;  ///< why it is of no use; empty for one that is right, or merely behind
};

/// Every file under faiss/. One that says it is of the catalog's present revision must hold each of its vectors and no
/// other; one of an earlier revision must be of this catalog's history. Reads in one transaction a space.
std::vector<SnapshotState> check_snapshots(const Catalog& catalog, const CancelToken& cancel);

}  // namespace imprint::index
