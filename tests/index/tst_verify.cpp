// SPDX-License-Identifier: Apache-2.0
// A library damaged in a hundred ways is refused or repaired, and what is left is what was stored.
#include <QTemporaryDir>
#include <QtTest>

#include <SQLiteCpp/SQLiteCpp.h>

#include <fstream>
#include <map>

#include "core/base/error.h"
#include "index/search.h"
#include "index/verify.h"
#include "tests/index/library_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;
namespace fs = std::filesystem;

namespace {

const std::string kOtherSpace = "other-model/fedcba987654/32";

std::string read_bytes(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& file, const std::string& bytes)
{
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

using Damage = std::function<void(const fs::path& folder)>;

/// Bytes of a file of the library, changed.
Damage bytes_of(const std::string& name, const std::function<void(std::string&)>& change)
{
    return [=](const fs::path& folder) {
        std::string bytes = read_bytes(folder / name);
        change(bytes);
        write_bytes(folder / name, bytes);
    };
}

/// What a program does that knows nothing of the library's promises. "{7}" stands for the number of file 7.
Damage sql(std::string statement)
{
    for (size_t at = 0; (at = statement.find('{')) != std::string::npos;) {
        const size_t end = statement.find('}', at);
        statement.replace(at, end + 1 - at,
                          "(SELECT id FROM files WHERE path = CAST('/m/" + statement.substr(at + 1, end - at - 1)
                              + "' AS BLOB))");
    }
    return [=](const fs::path& folder) {
        SQLite::Database database((folder / "catalog.sqlite").native(), SQLite::OPEN_READWRITE);
        database.exec("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;");
        database.exec(statement);
        if (database.getTotalChanges() == 0)
            qFatal("'%s' changes nothing", statement.c_str());
    };
}

/// All stored vectors, by path, space and modality.
using Stored = std::map<std::string, std::string>;
Stored stored(const fs::path& folder)
{
    Stored all;
    SQLite::Database database((folder / "catalog.sqlite").native(), SQLite::OPEN_READWRITE);
    SQLite::Statement select(database,
                             "SELECT path, name, modality, half, stats FROM vectors"
                             " JOIN files ON files.id = file JOIN spaces ON spaces.id = space");
    while (select.executeStep()) {
        const auto bytes = [&](int column) {
            return std::string(static_cast<const char*>(select.getColumn(column).getBlob()),
                               static_cast<size_t>(select.getColumn(column).getBytes()));
        };
        all[bytes(0) + '|' + bytes(1) + '|' + select.getColumn(2).getString()] = bytes(3) + bytes(4);
    }
    return all;
}

}  // namespace

class TestVerify : public QObject {
    Q_OBJECT

    QTemporaryDir shared_;
    fs::path whole_;
    std::vector<FileEntry> entries_;
    std::vector<Vectors> others_;  ///< of the second space
    Stored stored_;
    int refused_ = 0, repaired_ = 0, harmless_ = 0;

    static constexpr const char* kCatalog = "catalog.sqlite";
    std::string snapshot_;  ///< its name in the library

    void index_all(const fs::path& folder) const
    {
        Library library(folder, OpenMode::ReadWrite);
        for (size_t i = 0; i < entries_.size(); ++i) {
            for (const bool second : {false, true}) {
                const std::string& space = second ? kOtherSpace : kSpace;
                if (library.unchanged(entries_[i].facts, space))
                    continue;
                FileEntry entry = entries_[i];
                if (second)
                    entry.vectors = others_[i];
                library.put(entry, space, bank());
            }
        }
        for (int i = 0; i < 3; ++i)
            if (const FileFacts broken = facts("/m/broken" + std::to_string(i)); !library.unchanged(broken, kSpace))
                library.put_failure(broken, {broken.path, "malformed", "cut off", 1});
    }

    fs::path copy(const QTemporaryDir& dir) const
    {
        const fs::path folder = fs::path(dir.path().toStdString()) / "library";
        fs::copy(whole_, folder, fs::copy_options::recursive);
        return folder;
    }

    /// A page that holds rows of the table.
    int page_of(const char* table) const
    {
        SQLite::Database database((whole_ / kCatalog).native());
        SQLite::Statement select(database, "SELECT max(pageno) FROM dbstat WHERE name = ? AND pagetype = 'leaf'");
        select.bind(1, table);
        return select.executeStep() ? select.getColumn(0).getInt() : 0;
    }

private Q_SLOTS:
    void initTestCase()
    {
        whole_ = fs::path(shared_.path().toStdString()) / "whole";
        std::mt19937 random(3);
        for (int i = 0; i < 40; ++i) {
            const auto kind = static_cast<media::Kind>(i % 3);
            entries_.push_back(entry(random, "/m/" + std::to_string(i), kind, 1 + i % 9));
            others_.push_back(random_vectors(random, entries_.back().vectors.count()));
        }
        {
            Library library(whole_, OpenMode::ReadWrite);
            library.add_root("/m");
            library.use_space(kOtherSpace, kDim);
            library.use_space(kSpace, kDim);
        }
        index_all(whole_);
        Searcher(whole_, {.snapshot_from = 1}).refresh();
        for (const auto& file : fs::directory_iterator(whole_ / "faiss"))
            snapshot_ = "faiss/" + file.path().filename().native();
        QVERIFY(!snapshot_.empty());
        stored_ = stored(whole_);
        QVERIFY(stored_.size() > 80);
        const Verdict verdict = verify(whole_);
        QVERIFY2(verdict.problems.empty(), verdict.problems.empty() ? "" : verdict.problems[0].c_str());
        QCOMPARE(verdict.snapshots, 1);
        QCOMPARE(verdict.counts.files, 40);
        QVERIFY(verdict.bytes > 0);
    }

    void cleanupTestCase()
    {
        qInfo("%d damages refused, %d repaired, %d did no harm", refused_, repaired_, harmless_);
        QVERIFY(refused_ + repaired_ + harmless_ >= 100);
    }

    void a_damaged_library_is_refused_or_repaired_data()
    {
        QTest::addColumn<Damage>("damage");
        QTest::addColumn<QString>("must_be");  // "found": named by verify and repaired; "repaired"; or empty: either way
        const auto row = [](const std::string& name, const Damage& damage, const char* must_be) {
            QTest::newRow(name.c_str()) << damage << QString(must_be);
        };
        const auto size = static_cast<size_t>(fs::file_size(whole_ / kCatalog));
        const size_t page = 4096, pages = size / page;

        for (const size_t left : {size_t(0), size_t(1), size_t(16), size_t(99), size_t(100), size_t(512), page - 1, page,
                                  size / 4, size / 2, size / 4 * 3, size - page, size - 1})
            row("catalog cut to " + std::to_string(left) + " bytes", bytes_of(kCatalog, [=](auto& b) { b.resize(left); }), "");
        for (const size_t at : {0, 16, 18, 20, 24, 28, 32, 44, 52, 56, 60, 68, 96, 100, 103, 105})
            row("catalog header byte " + std::to_string(at), bytes_of(kCatalog, [=](auto& b) { b[at] ^= 0x55; }), "");
        for (size_t i = 1; i < pages; i += pages / 12)
            row("catalog page " + std::to_string(i) + " is zeros",
                bytes_of(kCatalog, [=](auto& b) { b.replace(i * page, page, page, '\0'); }), "");
        for (size_t i = 2; i < pages; i += pages / 12)
            row("catalog page " + std::to_string(i) + " is of another file",
                bytes_of(kCatalog, [=](auto& b) { b.replace(i * page, page, b.substr((i * 7 % pages) * page, page)); }), "");
        for (unsigned seed = 1; seed <= 12; ++seed)
            row("catalog with " + std::to_string(seed * 5) + " wrong bytes",
                bytes_of(kCatalog,
                         [=](auto& b) {
                             std::mt19937 random(seed);
                             for (unsigned i = 0; i < seed * 5; ++i)
                                 b[page + random() % (b.size() - page)] ^= static_cast<char>(1 << random() % 8);
                         }),
                "");
        for (const char* table : {"files", "moments", "vectors", "embedded", "checksums", "failures", "roots", "words_data",
                                  "words_content", "sqlite_autoindex_files_1"})
            row(std::string("a leaf of ") + table + " is random",
                bytes_of(kCatalog,
                         [=, at = page_of(table)](auto& b) {
                             std::mt19937 random(9);
                             for (size_t i = 0; at > 1 && i < page; ++i)
                                 b[(at - 1) * page + i] = static_cast<char>(random());
                         }),
                "repaired");

        const std::pair<const char*, const char*> statements[] = {
            {"a vector with a flipped bit", "UPDATE vectors SET half = CAST(x'00ff' || substr(half, 3) AS BLOB) WHERE id = 5"},
            {"a vector of zeros", "UPDATE vectors SET half = zeroblob(length(half)) WHERE id = 7"},
            {"a vector too short", "UPDATE vectors SET half = substr(half, 3) WHERE id = 9"},
            {"a background too short", "UPDATE vectors SET stats = substr(stats, 2) WHERE id = 9"},
            {"a background of zeros", "UPDATE vectors SET stats = zeroblob(length(stats)) WHERE id = 11"},
            {"another count", "UPDATE vectors SET count = count + 1 WHERE id = 13"},
            {"another modality", "UPDATE OR IGNORE vectors SET modality = 1 - modality WHERE file = {2}"},
            {"vectors of two files exchanged",
             "UPDATE vectors SET half = (SELECT half FROM vectors WHERE count = 1 ORDER BY id DESC LIMIT 1)"
             " WHERE id = (SELECT min(id) FROM vectors WHERE count = 1)"},
            {"vectors gone", "DELETE FROM vectors WHERE file = {6}"},
            {"a checksum gone", "DELETE FROM checksums WHERE vectors = 3"},
            {"another checksum", "UPDATE checksums SET xxh64 = xxh64 + 1 WHERE vectors = 3"},
            {"a moment gone", "DELETE FROM moments WHERE file = {4} AND ordinal = 1"},
            {"a moment moved", "UPDATE moments SET start_s = start_s + 1, end_s = end_s + 1 WHERE file = {4} AND ordinal = 1"},
            {"a moment that ends before it begins", "UPDATE moments SET end_s = -1 WHERE file = {6}"},
            {"moments of a file that is not there", "INSERT INTO moments VALUES (999, 0, 0, NULL, NULL)"},
            {"a failure of a file that is not there", "INSERT INTO failures VALUES (999, 'io', 'x', 1)"},
            {"an unknown vector space", "UPDATE embedded SET space = 77 WHERE file = {2} AND space = 1"},
            {"an active space that is not there", "UPDATE library SET active_space = 77"},
            {"no active space's row", "DELETE FROM spaces WHERE id = 1"},
            {"another dimension", "UPDATE spaces SET dim = 31 WHERE id = 1"},
            {"no row of its own", "DELETE FROM library"},
            {"a revision of the past", "UPDATE library SET revision = 3"},
            {"a library number that is short", "UPDATE library SET id = x'00'"},
            {"a number that is free and in use", "INSERT INTO dropped VALUES ({2}, 1)"},
            {"another path", "UPDATE files SET path = CAST('/m/other' AS BLOB) WHERE id = {8}"},
            {"another size", "UPDATE files SET size = size + 1 WHERE id = {8}"},
            {"another time", "UPDATE files SET taken_at = 5 WHERE id = {8}"},
            {"another kind", "UPDATE files SET kind = 0 WHERE id = {8}"},
            {"a failed file with a kind", "UPDATE files SET kind = 0 WHERE state = 1"},
            {"a failed file without a reason", "DELETE FROM failures"},
            {"a reason for a good file", "INSERT INTO failures VALUES ({1}, 'io', 'x', 1)"},
            {"words of another name", "UPDATE words SET name = 'other' WHERE rowid = {8}"},
            {"words gone", "DELETE FROM words WHERE rowid = {8}"},
            {"words of a file that is not there", "INSERT INTO words (rowid, name) VALUES (999, 'x')"},
            {"words that cannot be read", "UPDATE words_data SET block = x'ff' WHERE id > 10"},
            {"words without their names", "DELETE FROM words_content"},
            {"a file gone, its contents left", "DELETE FROM files WHERE id = {10}"},
        };
        for (const auto& [name, statement] : statements)
            row(name, sql(statement), "found");
        row("an index of words that was emptied", sql("UPDATE words_data SET block = x'ff' WHERE id = 10"), "repaired");

        const auto snapshot = static_cast<size_t>(fs::file_size(whole_ / snapshot_));
        for (const size_t left : {size_t(0), size_t(7), size_t(119), size_t(120), snapshot / 2, snapshot - 1})
            row("vector index cut to " + std::to_string(left) + " bytes", bytes_of(snapshot_, [=](auto& b) { b.resize(left); }),
                "found");
        for (const size_t at : {size_t(0), size_t(8), size_t(12), size_t(16), size_t(24), size_t(32), size_t(48), size_t(56),
                                size_t(72), size_t(80), size_t(112), size_t(130), snapshot / 2, snapshot - 3})
            row("vector index byte " + std::to_string(at), bytes_of(snapshot_, [=](auto& b) { b[at] ^= 0x10; }), "found");
        row("vector index with more behind it", bytes_of(snapshot_, [](auto& b) { b += "more"; }), "found");
        row(
            "vector index under another name",
            [this](const fs::path& folder) { fs::rename(folder / snapshot_, folder / "faiss" / "stray.index"); }, "found");
        row(
            "a half-written vector index", [](const fs::path& folder) { write_bytes(folder / "faiss" / "x.1.part", "half"); },
            "found");
        row(
            "a journal of another catalog",
            [](const fs::path& folder) { write_bytes(folder / "catalog.sqlite-wal", std::string(70'000, 'w')); }, "");
    }

    void a_damaged_library_is_refused_or_repaired()
    {
        QFETCH(Damage, damage);
        QFETCH(QString, must_be);
        QTemporaryDir dir;
        const fs::path folder = copy(dir);
        damage(folder);

        bool found = false;
        try {
            found = !verify(folder).problems.empty();
        } catch (const Error& error) {
            found = true;
            QVERIFY2(!error.remedy().empty(), error.what());
        }
        if (must_be == "found")
            QVERIFY2(found, "nothing was found");
        try {
            repair(folder);
        } catch (const Error& error) {
            QVERIFY2(must_be.isEmpty(), error.what());
            QVERIFY2(error.kind() == ErrorKind::Malformed || error.kind() == ErrorKind::Unsupported
                         || error.kind() == ErrorKind::NotFound,
                     error.what());
            QVERIFY2(!error.remedy().empty(), error.what());
            ++refused_;
            return;
        }
        ++(found ? repaired_ : harmless_);
        const std::vector<std::string> left = verify(folder).problems;
        QVERIFY2(left.empty(), left.empty() ? "" : left[0].c_str());
        for (const auto& [name, bytes] : stored(folder)) {
            const auto original = stored_.find(name);
            QVERIFY2(original != stored_.end() && original->second == bytes, ("a wrong vector: " + name).c_str());
        }
        // And the next indexing brings back what went.
        {
            Library library(folder, OpenMode::ReadWrite);
            library.use_space(kOtherSpace, kDim);
            library.use_space(kSpace, kDim);
        }
        index_all(folder);
        QVERIFY(stored(folder) == stored_);
        QVERIFY(verify(folder).problems.empty());
        Searcher searcher(folder, {.snapshot_from = 1});
        searcher.refresh();
        QCOMPARE(searcher.state().moments, Library(folder, OpenMode::ReadOnly).counts().moments);
    }

    void a_library_that_is_whole_is_left_alone()
    {
        QTemporaryDir dir;
        const fs::path folder = copy(dir);
        const Repair done = repair(folder);
        QVERIFY2(done.done.empty(), done.done.empty() ? "" : done.done[0].c_str());
        QVERIFY(done.kept.empty());
        QCOMPARE(done.to_index, 0);
        QVERIFY(stored(folder) == stored_);
    }

    void the_damaged_catalog_is_kept()
    {
        QTemporaryDir dir;
        const fs::path folder = copy(dir);
        const int at = page_of("vectors");
        bytes_of(kCatalog, [=](auto& b) { b.replace((at - 1) * 4096, 4096, 4096, '\xee'); })(folder);
        const std::string damaged = read_bytes(folder / kCatalog);
        const Repair done = repair(folder);
        QCOMPARE(QString::fromStdString(done.kept.filename()), QString("catalog.damaged-1.sqlite"));
        QCOMPARE(read_bytes(done.kept).size(), damaged.size());
        QVERIFY(!fs::exists(folder / "repair.part"));
        QVERIFY(Library(folder, OpenMode::ReadOnly).counts().files > 20);
    }

    void repair_waits_for_no_writer()
    {
        QTemporaryDir dir;
        const fs::path folder = copy(dir);
        const Library writer(folder, OpenMode::ReadWrite);
        try {
            repair(folder);
            QFAIL("two writers");
        } catch (const Error& error) {
            QCOMPARE(error_kind_name(error.kind()), "busy");
        }
        QVERIFY(verify(folder).problems.empty());  // reading goes on meanwhile
    }

    void both_end_when_asked_to()
    {
        QTemporaryDir dir;
        const fs::path folder = copy(dir);
        const CancelToken cancel;
        cancel.cancel();
        QVERIFY_THROWS_EXCEPTION(Error, verify(folder, cancel));
        QVERIFY_THROWS_EXCEPTION(Error, repair(folder, cancel));
        QVERIFY(verify(folder).problems.empty());
    }
};

QTEST_APPLESS_MAIN(TestVerify)
#include "tst_verify.moc"
