// SPDX-License-Identifier: Apache-2.0
// Migrations: numbered without gaps, each after a copy of the catalog, each whole or not at all.
#include <QTemporaryDir>
#include <QtTest>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/resource.h>

#include <csignal>

#include "core/base/error.h"
#include "index/catalog.h"
#include "index/verify.h"

using namespace imprint;
using namespace imprint::index;

class TestSchema : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        folder_ = std::make_unique<QTemporaryDir>();
        Library library(folder(), OpenMode::ReadWrite);
        library.add_root("/photos");
        all_.assign(known_migrations().begin(), known_migrations().end());
    }

    void migrations_are_numbered_without_gaps();
    void a_new_catalog_needs_no_copy();
    void keeps_a_copy_from_before_a_migration();
    void a_migration_that_fails_changes_nothing();
    void a_reader_does_not_migrate();
    void what_version_1_stored_gets_its_checksums();
    void a_copy_that_finds_no_room_stops_the_migration();

private:
    std::filesystem::path folder() const { return folder_->path().toStdString(); }
    std::filesystem::path file() const { return folder() / "catalog.sqlite"; }
    int last() const { return known_migrations().back().number; }
    int version() const { return SQLite::Database(file().native()).execAndGet("PRAGMA user_version").getInt(); }

    std::unique_ptr<QTemporaryDir> folder_;
    std::vector<Migration> all_;
};

void TestSchema::migrations_are_numbered_without_gaps()
{
    for (size_t i = 0; i < all_.size(); ++i)
        QCOMPARE(all_[i].number, static_cast<int>(i) + 1);
    QCOMPARE(version(), last());
}

void TestSchema::a_new_catalog_needs_no_copy()
{
    QVERIFY(!std::filesystem::exists(backup_path(file(), 0)));
}

void TestSchema::keeps_a_copy_from_before_a_migration()
{
    all_.push_back({last() + 1, "next", "CREATE TABLE later (id INTEGER PRIMARY KEY); DELETE FROM roots;"});
    Catalog catalog(folder(), OpenMode::ReadWrite, all_);
    QCOMPARE(version(), last() + 1);
    SQLite::Database copy(backup_path(file(), last()).native());
    QCOMPARE(copy.execAndGet("PRAGMA user_version").getInt(), last());
    QCOMPARE(copy.execAndGet("SELECT count(*) FROM roots").getInt(), 1);
    QVERIFY(!std::filesystem::exists(backup_path(file(), last()).native() + ".part"));
}

void TestSchema::a_migration_that_fails_changes_nothing()
{
    all_.push_back({last() + 1, "next", "DELETE FROM roots; INSERT INTO no_such_table VALUES (1);"});
    try {
        Catalog(folder(), OpenMode::ReadWrite, all_);
        QFAIL("no error was thrown");
    } catch (const Error& error) {
        QVERIFY2(error.kind() == ErrorKind::Malformed, error.what());
    }
    QCOMPARE(version(), last());
    QCOMPARE(Library(folder(), OpenMode::ReadOnly).roots().size(), size_t(1));
}

void TestSchema::a_reader_does_not_migrate()
{
    all_.push_back({last() + 1, "next", "DELETE FROM roots;"});
    try {
        Catalog(folder(), OpenMode::ReadOnly, all_);
        QFAIL("no error was thrown");
    } catch (const Error& error) {
        QVERIFY2(error.kind() == ErrorKind::Unsupported, error.what());
        QVERIFY(error.reason().find("older") != std::string::npos);
    }
    QCOMPARE(version(), last());
}

void TestSchema::what_version_1_stored_gets_its_checksums()
{
    QTemporaryDir old;
    const std::filesystem::path folder = old.path().toStdString();
    {
        Catalog first(folder, OpenMode::ReadWrite, known_migrations().first(1));
        first.write([&] {
            for (const char* sql :
                 {"INSERT INTO spaces VALUES (1, 'm/0/2', 2)", "UPDATE library SET active_space = 1, revision = 1",
                  "INSERT INTO files (id, path, size, mtime_ns, inode, device, state, kind, moments, revision)"
                  " VALUES (1, x'2f61', 10, 20, 30, 40, 0, 2, 2, 1), (2, x'2f62', 10, 20, 30, 40, 1, NULL, 0, 1)",
                  "INSERT INTO failures VALUES (2, 'malformed', 'cut off', 1)",
                  "INSERT INTO moments VALUES (1, 0, 1, 0.0, 5.25), (1, 1, 1, 5.25, 7.0)", "INSERT INTO embedded VALUES (1, 1)",
                  "INSERT INTO vectors VALUES (1, 1, 1, 1, 2, x'003c00000000003c', x'0000003f0000803f0000003f0000803f')"})
                first.use(sql)->exec();
        });
    }
    { const Library migrated(folder, OpenMode::ReadWrite); }
    const std::vector<std::string> problems = verify(folder).problems;
    QVERIFY2(problems.empty(), problems.empty() ? "" : problems[0].c_str());
    SQLite::Database database((folder / "catalog.sqlite").native(), SQLite::OPEN_READWRITE);
    QCOMPARE(database.execAndGet("SELECT count(*) FROM checksums").getInt(), 1);
    database.exec("UPDATE moments SET end_s = 6 WHERE ordinal = 1");
    QCOMPARE(verify(folder).problems.size(), size_t(1));
}

void TestSchema::a_copy_that_finds_no_room_stops_the_migration()
{
    all_.push_back({last() + 1, "next", "DELETE FROM roots;"});
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{32'768, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    std::optional<Error> error;
    try {
        Catalog(folder(), OpenMode::ReadWrite, all_);
    } catch (const Error& caught) {
        error = caught;
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    QVERIFY(error.has_value());
    QVERIFY2(error->kind() == ErrorKind::DiskFull, error->what());
    QCOMPARE(version(), last());
    QCOMPARE(Library(folder(), OpenMode::ReadOnly).roots().size(), size_t(1));
}

QTEST_APPLESS_MAIN(TestSchema)
#include "tst_schema.moc"
