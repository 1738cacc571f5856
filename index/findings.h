// SPDX-License-Identifier: Apache-2.0
// What is wrong in a catalog, so that it can be told and mended. Private to this folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "index/catalog.h"

namespace imprint::index {

struct Finding {
    enum class Kind {
        Structure,  ///< pages, indexes, types: what SQLite itself finds
        Reference,  ///< a row that names another one which is not there
        Row,        ///< a file whose row or moments cannot be believed, its name included
        Vectors,    ///< a file whose vectors cannot be believed
        Books,      ///< numbers that the whole catalog rests on
        Words,      ///< the words that files are found by
    };
    Kind kind = Kind::Structure;
    std::string text;  ///< one line
    int64_t file = 0;  ///< of Row and Vectors
};

/// What SQLite finds when it reads every page.
std::vector<Finding> structure_findings(const Catalog& catalog, const CancelToken& cancel);

/// What only we can find: every reference, count, checksum and norm. Reads vectors in short transactions. The structure
/// must be sound. A file may be named several times. Throws Error(Cancelled), or what reading a damaged catalog throws.
std::vector<Finding> content_findings(const Catalog& catalog, const CancelToken& cancel);

}  // namespace imprint::index
