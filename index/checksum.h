// SPDX-License-Identifier: Apache-2.0
// What says that a row is the one that was stored. Private to this folder.
#pragma once

namespace SQLite {
class Database;
}

namespace imprint::index {

/// Makes row_checksum(…) known to SQL: XXH64 over the types and bytes of its arguments, as a signed number.
void add_checksum_function(SQLite::Database& database);

/// The SQL of what files.xxh64 must be: the row with its moments. The device is left out: it changes by itself.
#define IMPRINT_FILE_CHECKSUM                                                                                                    \
    "row_checksum(path, size, mtime_ns, inode, state, kind, width, height, duration, has_sound, format, taken_at, moments,"      \
    " (SELECT group_concat(modality || ' ' || quote(start_s) || ' ' || quote(end_s), ',')"                                       \
    " FROM (SELECT * FROM moments WHERE file = files.id ORDER BY ordinal)))"

/// The SQL of what checksums.xxh64 must be for a row of vectors.
#define IMPRINT_VECTORS_CHECKSUM "row_checksum(file, space, modality, count, half, stats)"

}  // namespace imprint::index
