// SPDX-License-Identifier: Apache-2.0
// Files that are elsewhere now: found by their content, or told by the user.
#include <sys/stat.h>

#include <cerrno>

#include "index/checksum.h"
#include "index/library_impl.h"
#include "index/out_of_reach.h"
#include "index/paths.h"

namespace imprint::index {
namespace {

void bind_fingerprint(SQLite::Statement& statement, int index, const Fingerprint& fingerprint)
{
    statement.bind(index, static_cast<const void*>(fingerprint.data()), static_cast<int>(fingerprint.size()));
}

bool is_gone(const std::string& path)
{
    struct stat facts { };
    return ::lstat(path.c_str(), &facts) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

}  // namespace

bool Library::knows_size(int64_t size) const
{
    return impl_->catalog.guarded([&] {
        auto select = impl_->catalog.use("SELECT 1 FROM files WHERE size = ? AND fingerprint IS NOT NULL LIMIT 1");
        select->bind(1, size);
        return select->executeStep();
    });
}

std::optional<std::filesystem::path> Library::was_at(const std::filesystem::path& path, const Fingerprint& fingerprint) const
{
    return impl_->catalog.guarded([&]() -> std::optional<std::filesystem::path> {
        auto select = impl_->catalog.use("SELECT path, device FROM files WHERE fingerprint = ? AND state = 0 ORDER BY path <> ?");
        bind_fingerprint(*select, 1, fingerprint);
        bind_path(*select, 2, path);
        OutOfReach out_of_reach;
        while (select->executeStep()) {
            const std::filesystem::path known = path_column(*select, 0);
            const auto device = std::bit_cast<uint64_t>(int64_t{select->getColumn(1).getInt64()});
            if (known == path || (is_gone(known.native()) && !out_of_reach.holds(known.native(), device)))
                return known;
        }
        return std::nullopt;
    });
}

bool Library::move_file(const std::filesystem::path& from, const FileFacts& facts)
{
    Catalog& catalog = impl_->catalog;
    bool moved = false;
    impl_->write_revision([&](int64_t) {
        int64_t file = 0;
        {
            auto select = catalog.use("SELECT id FROM files WHERE path = ? AND state = 0");
            bind_path(*select, 1, from);
            if (!select->executeStep())
                return;
            file = select->getColumn(0).getInt64();
        }
        auto make_room = catalog.use("DELETE FROM files WHERE path = ? AND id <> ?");
        bind_path(*make_room, 1, facts.path);
        make_room->bind(2, file);
        make_room->exec();
        auto update = catalog.use("UPDATE files SET path = ?, size = ?, mtime_ns = ?, inode = ?, device = ? WHERE id = ?");
        bind_path(*update, 1, facts.path);
        update->bind(2, facts.size);
        update->bind(3, facts.mtime_ns);
        update->bind(4, signed_bits(facts.inode));
        update->bind(5, signed_bits(facts.device));
        update->bind(6, file);
        update->exec();
        impl_->seal(file);
        moved = true;
    });
    return moved;
}

Relinked Library::relink(const std::filesystem::path& from, const std::filesystem::path& to)
{
    const PathRange old(from), fresh(to);
    IMPRINT_ASSERT(old.self != fresh.self);
    Catalog& catalog = impl_->catalog;
    Relinked relinked;
    // ?1 the old place, ?2 and ?3 the bounds of what is below it, ?4 the new place, ?5 where the rest of a path begins.
    const auto run = [&](const std::string& sql) {
        return catalog.dynamic(sql, [&](SQLite::Statement& statement) {
            bind_path(statement, 1, old.self);
            bind_path(statement, 2, old.first);
            bind_path(statement, 3, old.last);
            if (sql.find("?4") != std::string::npos) {
                bind_path(statement, 4, fresh.self == "/" ? std::string() : fresh.self);
                statement.bind(5, static_cast<int64_t>(old.self == "/" ? 1 : old.self.size() + 1));
            }
            return statement.exec();
        });
    };
    const std::string below = " WHERE (path = ?1 OR (path >= ?2 AND path < ?3))";
    const std::string moved = "CAST(?4 || substr(path, ?5) AS BLOB)";
    impl_->write_revision([&](int64_t) {
        // A path may only change where nothing stands already; what is to stay is moved out of the way of itself first.
        run("CREATE TEMP TABLE leaving AS SELECT id, " + moved + " AS target FROM files" + below);
        catalog.dynamic(
            "DELETE FROM files WHERE path IN (SELECT target FROM temp.leaving) AND id NOT IN (SELECT id FROM temp.leaving)",
            [](SQLite::Statement& erase) { erase.exec(); });
        catalog.dynamic("UPDATE files SET path = CAST('leaving ' || id AS BLOB) WHERE id IN (SELECT id FROM temp.leaving)",
                        [](SQLite::Statement& update) { update.exec(); });
        relinked.files = catalog.dynamic("UPDATE files SET path = target FROM temp.leaving WHERE files.id = leaving.id",
                                         [](SQLite::Statement& update) { return update.exec(); });
        catalog.dynamic("UPDATE files SET xxh64 = " IMPRINT_FILE_CHECKSUM " WHERE id IN (SELECT id FROM temp.leaving)",
                        [](SQLite::Statement& update) { update.exec(); });
        catalog.dynamic("DROP TABLE temp.leaving", [](SQLite::Statement& drop) { drop.exec(); });
        run("DELETE FROM roots WHERE path IN (SELECT " + moved + " FROM roots" + below
            + ") AND NOT (path = ?1 OR (path >= ?2 AND path < ?3))");
        relinked.roots = run("UPDATE roots SET volume = NULL, place = NULL, path = " + moved + below);
    });
    return relinked;
}

std::vector<std::filesystem::path> Library::without_fingerprint(const std::filesystem::path& after, int64_t limit) const
{
    return impl_->catalog.guarded([&] {
        std::vector<std::filesystem::path> paths;
        auto select = impl_->catalog.use(
            "SELECT path FROM files WHERE fingerprint IS NULL AND state = 0 AND path > ? ORDER BY path LIMIT ?");
        bind_path(*select, 1, after);
        select->bind(2, limit);
        while (select->executeStep())
            paths.push_back(path_column(*select, 0));
        return paths;
    });
}

void Library::set_fingerprint(const std::filesystem::path& path, const Fingerprint& fingerprint)
{
    impl_->catalog.write([&] {
        auto update = impl_->catalog.use("UPDATE files SET fingerprint = ?2 WHERE path = ?1");
        bind_path(*update, 1, path);
        bind_fingerprint(*update, 2, fingerprint);
        update->exec();
    });
}

}  // namespace imprint::index
