// SPDX-License-Identifier: Apache-2.0
// Numbered migrations of the catalog: PRAGMA user_version says how many have run.
#pragma once

#include <filesystem>
#include <span>

namespace SQLite {
class Database;
}

namespace imprint::index {

struct Migration {
    int number;        ///< 1, 2, … without gaps
    const char* name;  ///< file name under resources/schema without its ending
    const char* sql;
};

/// The migrations built into this program, ascending.
std::span<const Migration> known_migrations();

/// What PRAGMA user_version says; 0 for a new, empty file. Throws Error: Malformed when the file is a database of
/// another program, Unsupported when its version is beyond `migrations`.
int schema_version(SQLite::Database& database, const std::filesystem::path& file, std::span<const Migration> migrations);

/// Brings an open catalog up to the last of `migrations`, one transaction each. Before each step of a catalog that already
/// holds something, a copy is written beside it (backup_path) and kept. Throws Error(DiskFull) before anything is
/// changed where there is no room for that copy.
void migrate(SQLite::Database& database, const std::filesystem::path& file, std::span<const Migration> migrations);

/// Where the copy from before leaving `version` lies: catalog.before-v<version + 1>.sqlite.
std::filesystem::path backup_path(const std::filesystem::path& file, int version);

}  // namespace imprint::index
