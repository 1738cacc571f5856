// SPDX-License-Identifier: Apache-2.0
// Pages first, then references, then files whose contents cannot be believed, then the vector indexes.
#include <SQLiteCpp/Database.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "index/findings.h"
#include "index/library_impl.h"
#include "index/salvage.h"
#include "index/snapshot_check.h"
#include "index/verify.h"

namespace imprint::index {
namespace fs = std::filesystem;
namespace {

class Repairer {
public:
    Repairer(const fs::path& folder, const CancelToken& cancel)
        : folder_(existing(folder)), lock_(folder_), cancel_(cancel), migrations_(present_migrations())
    {
    }

    Repair run()
    {
        if (!pages_are_sound()) {
            try {
                copy_what_can_be_read();
            } catch (const Error& error) {
                if (error.kind() != ErrorKind::Malformed)
                    throw;
                too_damaged(error.reason());
            }
        }
        const Catalog catalog(folder_, OpenMode::ReadWrite);  // from here on as this program's version
        mend_references(catalog);
        mend_books(catalog);
        mend_words(catalog);
        forget_doubtful_files(catalog);
        if (const auto left = content_findings(catalog, cancel_); !left.empty())
            throw Error(ErrorKind::Malformed, folder_.native(), "the catalog cannot be repaired (" + left.front().text + ")",
                        "Move the library folder away and index again; your media files are not touched");
        drop_empty_spaces(catalog);
        drop_bad_snapshots(catalog);
        return std::move(result_);
    }

private:
    static fs::path existing(const fs::path& folder)
    {
        const fs::path absolute = fs::absolute(folder);
        std::error_code failure;
        if (!fs::exists(absolute / "catalog.sqlite", failure))
            throw Error(ErrorKind::NotFound, absolute.native(), "there is no library in this folder", "Index something first");
        return absolute;
    }

    /// Those that this catalog has behind it: nothing may be migrated while it is damaged.
    std::span<const Migration> present_migrations() const
    {
        const fs::path file = folder_ / "catalog.sqlite";
        try {
            SQLite::Database database(file.native(), SQLite::OPEN_READWRITE);
            const int version = schema_version(database, file, known_migrations());
            if (version == 0)
                throw Error(ErrorKind::NotFound, folder_.native(), "there is no library in this folder yet",
                            "Index something first");
            return known_migrations().first(static_cast<size_t>(version));
        } catch (const SQLite::Exception& exception) {
            too_damaged(exception.what());
        }
    }

    [[noreturn]] void too_damaged(const std::string& why) const
    {
        throw Error(ErrorKind::Malformed, folder_.native(), "the catalog is too damaged to be read (" + why + ")",
                    "Put back a copy of it (catalog.before-v….sqlite, or your own), or move it away and index again; your media "
                    "files are not touched");
    }

    void say(const std::string& line) { result_.done.push_back(line); }

    bool pages_are_sound()
    {
        try {
            const Catalog catalog(folder_, OpenMode::ReadWrite, migrations_);
            auto found = structure_findings(catalog, cancel_);
            if (found.empty())
                return true;
            // An index is made of its table; pages of a table are what a copy is for.
            catalog.guarded([&] { catalog.use("REINDEX")->exec(); });
            const size_t before = found.size();
            found = structure_findings(catalog, cancel_);
            if (!found.empty())
                return false;
            say("indexes of the catalog made anew (" + std::to_string(before) + " faults)");
            return true;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Malformed)
                throw;
            return false;
        }
    }

    void copy_what_can_be_read()
    {
        const fs::path file = folder_ / "catalog.sqlite", part = folder_ / "repair.part";
        fs::remove_all(part);
        fs::create_directory(part);
        {
            const Catalog damaged(folder_, OpenMode::ReadWrite, migrations_);
            const Catalog fresh(part, OpenMode::ReadWrite, migrations_);
            salvage(damaged, fresh, cancel_);
            fresh.guarded([&] { fresh.use("PRAGMA wal_checkpoint(TRUNCATE)")->executeStep(); });
        }
        result_.kept = unused_name();
        // Its journal first: left beside the new catalog, it would be taken for that one's.
        for (const char* journal : {"-wal", "-shm", "-journal"})
            if (std::error_code none; fs::exists(file.native() + journal, none))
                move(file.native() + journal, result_.kept.native() + journal);
        // At any moment there is a catalog where one is looked for; some file systems know no second name.
        if (::link(file.c_str(), result_.kept.c_str()) != 0)
            move(file, result_.kept);
        move(part / "catalog.sqlite", file);
        fs::remove_all(part);
        say("damaged pages: what can be read was copied; the damaged catalog is kept as " + result_.kept.filename().native());
    }

    static void move(const fs::path& from, const fs::path& to)
    {
        if (::rename(from.c_str(), to.c_str()) != 0)
            throw_errno(errno, to.native(), "put the catalog in its place");
    }

    fs::path unused_name() const
    {
        for (int number = 1;; ++number) {
            fs::path name = folder_ / ("catalog.damaged-" + std::to_string(number) + ".sqlite");
            std::error_code none;
            if (!fs::exists(name, none))
                return name;
        }
    }

    void mend_references(const Catalog& catalog)
    {
        struct Link {
            std::string table, from, parent, to;
        };
        std::vector<Link> links;
        catalog.guarded([&] {
            auto select = catalog.use("SELECT DISTINCT broken.\"table\", link.\"from\", link.\"table\", link.\"to\""
                                      " FROM pragma_foreign_key_check AS broken"
                                      " JOIN pragma_foreign_key_list(broken.\"table\") AS link ON link.id = broken.fkid");
            while (select->executeStep())
                links.push_back({select->getColumn(0).getString(), select->getColumn(1).getString(),
                                 select->getColumn(2).getString(), select->getColumn(3).getString()});
        });
        for (const Link& link : links) {
            const std::string dangling =
                " WHERE \"" + link.from + "\" NOT IN (SELECT \"" + link.to + "\" FROM \"" + link.parent + "\")";
            const std::string change = link.table == "library" ? "UPDATE library SET \"" + link.from + "\" = NULL"
                                                               : "DELETE FROM \"" + link.table + "\"";
            catalog.write([&] {
                const int rows =
                    catalog.dynamic(change + dangling, [](SQLite::Statement& statement) { return statement.exec(); });
                say(std::to_string(rows) + " rows of " + link.table + " that named nothing");
            });
        }
    }

    void mend_books(const Catalog& catalog)
    {
        const auto wrong = content_findings(catalog, cancel_);
        for (const Finding& finding : wrong) {
            if (finding.kind != Finding::Kind::Books)
                continue;
            catalog.write([&] {
                catalog.use("INSERT OR IGNORE INTO library VALUES (1, randomblob(16), 0, 0, NULL)")->exec();
                catalog.use("DELETE FROM dropped WHERE file IN (SELECT id FROM files)")->exec();
                // A new number: whatever vector index was made by the old books is none of this catalog's.
                catalog
                    .use("UPDATE library SET id = randomblob(16), revision = 1 + max(revision, drop_floor,"
                         " (SELECT coalesce(max(revision), 0) FROM files), (SELECT coalesce(max(revision), 0) FROM dropped))")
                    ->exec();
            });
            say(finding.text + ": counted anew");
        }
        catalog.write([&] {
            catalog
                .use(
                    "UPDATE library SET active_space = (SELECT space FROM embedded GROUP BY space ORDER BY count(*) DESC LIMIT 1)"
                    " WHERE active_space IS NULL")
                ->exec();
        });
    }

    void mend_words(const Catalog& catalog)
    {
        if (!catalog.guarded([&] { return words_differ(catalog); }))
            return;
        catalog.write([&] { make_words_anew(catalog); });
        say("the table of words: made anew from names and labels");
    }

    /// The vector indexes hear of it by the files' revisions, and by the trigger on those that go.
    void forget_doubtful_files(const Catalog& catalog)
    {
        std::map<int64_t, bool> files;  // and whether the row must go too
        for (const Finding& finding : content_findings(catalog, cancel_)) {
            if (finding.kind != Finding::Kind::Row && finding.kind != Finding::Kind::Vectors)
                continue;
            const auto [known, fresh] = files.try_emplace(finding.file, false);
            known->second |= finding.kind == Finding::Kind::Row;
            if (fresh)
                say(finding.text + ": forgotten, to be indexed again");
        }
        result_.to_index = static_cast<int64_t>(files.size());
        if (files.empty())
            return;
        catalog.write([&] {
            catalog.use("UPDATE library SET revision = revision + 1")->exec();
            for (const auto& [file, whole] : files) {
                static constexpr const char* kRow[] = {"DELETE FROM files WHERE id = ?"};
                static constexpr const char* kVectors[] = {
                    "DELETE FROM vectors WHERE file = ?", "DELETE FROM embedded WHERE file = ?",
                    "UPDATE files SET revision = (SELECT revision FROM library) WHERE id = ?"};
                for (const char* sql : whole ? std::span<const char* const>(kRow) : std::span<const char* const>(kVectors)) {
                    auto change = catalog.use(sql);
                    change->bind(1, file);
                    change->exec();
                }
            }
            settle_words(catalog);
        });
    }

    /// A space that nothing is left of is made anew by the next indexing; its length may be what was damaged.
    void drop_empty_spaces(const Catalog& catalog)
    {
        if (result_.done.empty())
            return;
        catalog.write([&] {
            catalog.use("UPDATE library SET active_space = NULL WHERE active_space NOT IN (SELECT space FROM embedded)")->exec();
            catalog
                .use("DELETE FROM spaces WHERE id NOT IN (SELECT space FROM embedded)"
                     " AND id NOT IN (SELECT space FROM vectors)")
                ->exec();
        });
    }

    void drop_bad_snapshots(const Catalog& catalog)
    {
        for (const SnapshotState& snapshot : check_snapshots(catalog, cancel_)) {
            if (snapshot.fault.empty())
                continue;
            fs::remove(snapshot.file);
            say("vector index " + snapshot.file.filename().native() + " " + snapshot.fault
                + ": removed, it is made anew by itself");
        }
    }

    const fs::path folder_;
    const WriterLock lock_;
    const CancelToken& cancel_;
    const std::span<const Migration> migrations_;
    Repair result_;
};

}  // namespace

Repair repair(const fs::path& folder, const CancelToken& cancel) { return Repairer(folder, cancel).run(); }

}  // namespace imprint::index
