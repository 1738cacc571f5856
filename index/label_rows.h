// SPDX-License-Identifier: Apache-2.0
// What Library and LabelStore both do with rows of labels. Private to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "index/catalog.h"
#include "index/filter.h"

namespace imprint::index {

/// Binds `first` and the next parameter; leaves both null where there is no span.
void bind_span(SQLite::Statement& statement, int first, const std::optional<double>& start, const std::optional<double>& end);
/// Within a write transaction. A label that is there already stays one; a person's word outranks a guess.
void insert_label(const Catalog& catalog, int64_t file, const Label& label);
/// The rows of kFileColumnList that `sql` selects, in its order, of the files that pass. Within a read transaction; `sql` is
/// one that Catalog::use can keep.
std::vector<FileRow> passing_files(const Catalog& catalog, const char* sql, const Filter& filter);

}  // namespace imprint::index
