// SPDX-License-Identifier: Apache-2.0
// Runs migrations and keeps a copy of the catalog from before each.
#include "index/schema.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <sys/statvfs.h>

#include <cerrno>

#include "core/base/error.h"
#include "index/catalog.h"

namespace imprint::index {
namespace {

constexpr int kApplicationId = 0x494d5052;

int64_t number(SQLite::Database& database, const char* sql) { return database.execAndGet(sql).getInt64(); }

[[noreturn]] void no_room(const std::filesystem::path& file, SQLite::Database& database)
{
    const int64_t bytes = number(database, "PRAGMA page_count") * number(database, "PRAGMA page_size");
    throw Error(ErrorKind::DiskFull, file.native(),
                "updating the catalog needs " + std::to_string(2 * bytes / 1'000'000 + 1)
                    + " MB for a copy of it, and there is no room",
                "Make room on that disk, or go on with the version of Imprint that made it; nothing was changed");
}

void check_room(SQLite::Database& database, const std::filesystem::path& file)
{
    const int64_t bytes = number(database, "PRAGMA page_count") * number(database, "PRAGMA page_size");
    struct statvfs room { };
    if (::statvfs(file.c_str(), &room) != 0)
        throw_errno(errno, file.native(), "ask for the free space beside it");
    // The step itself may grow the journal by as much again.
    if (static_cast<int64_t>(room.f_bavail) * static_cast<int64_t>(room.f_frsize) < 2 * bytes)
        no_room(file, database);
}

void back_up(SQLite::Database& database, const std::filesystem::path& file, int version)
{
    check_room(database, file);
    const std::filesystem::path target = backup_path(file, version);
    std::filesystem::path part = target;
    part += ".part";
    std::filesystem::remove(part);
    {
        SQLite::Database copy(part.native(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        try {
            SQLite::Backup(copy, database).executeStep(-1);
        } catch (const SQLite::Exception&) {
            const bool full = found_no_room(copy);
            std::filesystem::remove(part);
            if (full)
                no_room(file, database);
            throw;
        }
    }
    if (::rename(part.c_str(), target.c_str()) != 0)
        throw_errno(errno, target.native(), "keep a copy of the catalog");
}

}  // namespace

std::filesystem::path backup_path(const std::filesystem::path& file, int version)
{
    return file.parent_path() / (file.stem().native() + ".before-v" + std::to_string(version + 1) + ".sqlite");
}

int schema_version(SQLite::Database& database, const std::filesystem::path& file, std::span<const Migration> migrations)
{
    const int version = static_cast<int>(number(database, "PRAGMA user_version"));
    const int known = migrations.empty() ? 0 : migrations.back().number;
    const bool ours = number(database, "PRAGMA application_id") == kApplicationId;
    if (version == 0 ? number(database, "SELECT count(*) FROM sqlite_schema") > 0 : !ours)
        throw Error(ErrorKind::Malformed, file.native(), "this database was not made by Imprint",
                    "Choose another library folder; nothing was changed");
    if (version > known)
        throw Error(ErrorKind::Unsupported, file.native(),
                    "this library was made by a newer Imprint (catalog version " + std::to_string(version)
                        + ", this program knows " + std::to_string(known) + ")",
                    "Update Imprint, or choose another library folder; nothing was changed");
    return version;
}

void migrate(SQLite::Database& database, const std::filesystem::path& file, std::span<const Migration> migrations)
{
    int version = schema_version(database, file, migrations);
    const bool empty = version == 0;
    // A new catalog appears whole: who opens it meanwhile finds none of it, or all.
    std::optional<SQLite::Transaction> whole;
    if (empty)
        whole.emplace(database, SQLite::TransactionBehavior::IMMEDIATE);
    for (const Migration& step : migrations) {
        if (step.number <= version)
            continue;
        IMPRINT_ASSERT(step.number == version + 1);
        std::optional<SQLite::Transaction> transaction;
        if (!empty) {
            back_up(database, file, version);
            transaction.emplace(database, SQLite::TransactionBehavior::IMMEDIATE);
        }
        database.exec(step.sql);
        database.exec("PRAGMA user_version = " + std::to_string(step.number));
        if (transaction)
            transaction->commit();
        version = step.number;
    }
    if (whole)
        whole->commit();
}

}  // namespace imprint::index
