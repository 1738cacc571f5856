// SPDX-License-Identifier: Apache-2.0
// Copying what can still be read of a damaged catalog. Private to this folder.
#pragma once

#include "core/base/cancel.h"
#include "index/catalog.h"

namespace imprint::index {

/// Copies every row that `damaged` still gives and that the schema allows into the new, empty catalog `fresh` of the same
/// version. A table is read from its beginning up to the damage and from its end down to it. `fresh` then names itself
/// anew, so that no vector index of the old one is taken for its own; what its rows promise is not checked. Throws Error:
/// DiskFull, Cancelled, Malformed where not even the schema can be read.
void salvage(const Catalog& damaged, const Catalog& fresh, const CancelToken& cancel);

}  // namespace imprint::index
