// SPDX-License-Identifier: Apache-2.0
// A writer killed at any moment, or the power cut: each file is in with everything or not at all, the next writer goes on at
// once, and the end is that of a run that nobody cut. `--rounds N` kills N times instead of 50.
#include <QTemporaryDir>
#include <QtTest>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iostream>
#include <sstream>
#include <thread>

#include "core/base/error.h"
#include "index/catalog.h"
#include "index/half.h"
#include "index/search.h"
#include "index/verify.h"
#include "tests/index/library_fixture.h"
#include "tests/index/power_loss.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

namespace {

constexpr int kFiles = 120;
const std::string kNewSpace = "new-model/fedcba987654/32";
const std::string kRoot = "/made-up";

/// File i has 1 + i % 7 moments of either modality; its vectors in each space depend on i alone.
FileEntry numbered(int i, bool in_new_space)
{
    std::mt19937 random(static_cast<unsigned>(i));
    FileEntry file = entry(random, kRoot + "/" + std::to_string(i), media::Kind::Video, 1 + i % 7);
    if (in_new_space)
        file.vectors = random_vectors(random, file.vectors.count());
    return file;
}

bool fails(int i) { return i % 10 == 3; }

/// Indexes all files, then embeds them again in a second space and switches to it; skips what is done already, as an indexing
/// does. Says each committed step.
void work(const std::string& folder, int steps, std::ostream& said)
{
    Library library(folder, OpenMode::ReadWrite);
    if (!library.active_space())
        library.use_space(kSpace, kDim);
    for (const bool in_new_space : {false, true}) {
        const std::string& space = in_new_space ? kNewSpace : kSpace;
        for (int i = 0; i < kFiles; ++i) {
            const FileEntry file = numbered(i, in_new_space);
            if (library.unchanged(file.facts, space))
                continue;
            if (steps-- <= 0)
                return;
            if (fails(i))
                library.put_failure(file.facts, {file.facts.path, "malformed", "cut off", 1});
            else
                library.put(file, space, bank());
            said << (in_new_space ? kFiles : 0) + i << '\n' << std::flush;
        }
    }
    library.use_space(kNewSpace, kDim);
    said << "done\n" << std::flush;
}

/// A library of version 1, as an older program left it.
void make_old_library(const std::string& folder)
{
    std::filesystem::create_directories(folder);
    const Catalog old(folder, OpenMode::ReadWrite, known_migrations().first(1));
    old.write([&] {
        for (const std::string& sql : {"INSERT INTO spaces VALUES (1, '" + kSpace + "', 2)",
                                       std::string("UPDATE library SET active_space = 1, revision = 2000")})
            old.dynamic(sql, [](SQLite::Statement& statement) { statement.exec(); });
        for (const char* sql :
             {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
              " INSERT INTO files (id, path, size, mtime_ns, inode, device, state, kind, moments, revision)"
              " SELECT i, CAST('/old/' || i AS BLOB), 10, 20, i, 40, 0, 0, 1, i FROM n",
              "INSERT INTO moments SELECT id, 0, 0, NULL, NULL FROM files", "INSERT INTO embedded SELECT id, 1 FROM files",
              "INSERT INTO vectors SELECT id, id, 1, 0, 1, x'003c0000', x'0000003f0000803f' FROM files"})
            old.use(sql)->exec();
    });
}

/// Every stored vector is the one that was given: no hit can be a wrong one.
void check_stored(const std::string& folder)
{
    const Verdict verdict = verify(folder);
    QVERIFY2(verdict.problems.empty(), verdict.problems.empty() ? "" : verdict.problems[0].c_str());
    const Catalog catalog(folder, OpenMode::ReadOnly);
    auto select = catalog.use("SELECT path, name = ?1, modality, half FROM vectors JOIN files ON files.id = file"
                              " JOIN spaces ON spaces.id = space");
    for (select->bind(1, kNewSpace); select->executeStep();) {
        const std::string path = path_column(*select, 0).native();
        const FileEntry wanted = numbered(std::stoi(path.substr(kRoot.size() + 1)), select->getColumn(1).getInt() != 0);
        std::vector<uint16_t> half;
        for (int i = 0; i < wanted.vectors.count(); ++i)
            if (static_cast<int>(wanted.moments[static_cast<size_t>(i)].modality) == select->getColumn(2).getInt()) {
                const std::vector<uint16_t> row = to_half(wanted.vectors.row(i));
                half.insert(half.end(), row.begin(), row.end());
            }
        const SQLite::Column stored = select->getColumn(3);
        QCOMPARE(static_cast<size_t>(stored.getBytes()), half.size() * 2);
        QVERIFY2(std::memcmp(stored.getBlob(), half.data(), half.size() * 2) == 0, path.c_str());
    }
}

/// What step `said` and all before it committed is there.
void check_committed(const std::string& folder, int said)
{
    const Library library(folder, OpenMode::ReadOnly);
    for (int step = 0; step <= said; ++step) {
        const FileEntry file = numbered(step % kFiles, step >= kFiles);
        QVERIFY2(library.unchanged(file.facts, step >= kFiles ? kNewSpace : kSpace), qPrintable(QString::number(step)));
    }
}

void check_finished(const std::string& folder)
{
    const Library library(folder, OpenMode::ReadOnly);
    QCOMPARE(*library.active_space(), kNewSpace);
    index::Counts wanted;
    for (int i = 0; i < kFiles; ++i) {
        wanted.files += !fails(i);
        wanted.failed += fails(i);
        wanted.moments += fails(i) ? 0 : std::ssize(numbered(i, false).moments);
    }
    QCOMPARE(library.counts().files, wanted.files);
    QCOMPARE(library.counts().failed, wanted.failed);
    QCOMPARE(library.counts().moments, wanted.moments);
    for (const std::string& space : {kSpace, kNewSpace})
        for (int i = 0; i < kFiles; ++i)
            QVERIFY(library.unchanged(numbered(i, false).facts, space));
    Searcher searcher(folder);
    searcher.refresh();
    QCOMPARE(searcher.state().moments, wanted.moments);
}

/// All that the child said.
std::string all_said(int output)
{
    std::string text;
    char buffer[4096];
    for (ssize_t size; (size = ::read(output, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<size_t>(size));
    ::close(output);
    return text;
}

/// The last number in it, or `otherwise`.
int last_number(const std::string& text, int otherwise)
{
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line != "done")
            otherwise = std::stoi(line);
    return otherwise;
}

int rounds = 50;

}  // namespace

class TestCrash : public QObject {
    Q_OBJECT

    std::mt19937 random_{20};

    /// Lets a child work for a random while, then kills it. Returns what it said. `begun`: the while begins with its first
    /// word, however long a busy machine takes to get there.
    std::string killed(const std::vector<std::string>& arguments, int most_microseconds, bool begun = false)
    {
        int output = -1;
        const int child = start_self(arguments, &output);
        if (child <= 0)
            qFatal("cannot start a child");
        pollfd first = {output, POLLIN, 0};
        if (begun)
            ::poll(&first, 1, 60'000);
        std::this_thread::sleep_for(std::chrono::microseconds(random_() % static_cast<unsigned>(most_microseconds)));
        ::kill(child, SIGKILL);
        wait_for(child);
        return all_said(output);
    }

private Q_SLOTS:
    void a_killed_indexing_loses_nothing_and_ends_like_any_other()
    {
        int kills = 0, ended = 0, progressed = 0;
        while (kills < rounds * 4 / 5) {
            QTemporaryDir dir;
            const std::string folder = dir.path().toStdString() + "/library";
            int last = -1;
            for (bool done = false; !done;) {
                const std::string said = killed({"--work", folder}, 200'000, kills % 4 != 0);
                ++kills;
                done = said.ends_with("done\n");
                progressed += last_number(said, last) > last;
                last = last_number(said, last);
                if (!std::filesystem::exists(folder + "/catalog.sqlite"))
                    continue;  // it never began
                {
                    const Library opened(folder, OpenMode::ReadWrite);
                }  // the lock is free
                check_stored(folder);
                check_committed(folder, last);
                if (QTest::currentTestFailed())
                    return;
            }
            ++ended;
            check_finished(folder);
        }
        qInfo("%d kills, %d of them after work was done, over %d libraries", kills, progressed, ended);
        QVERIFY2(progressed > kills / 4, "the children hardly wrote anything");
    }

    void a_killed_migration_is_done_or_not_begun()
    {
        QTemporaryDir dir;
        const std::filesystem::path old = std::filesystem::path(dir.path().toStdString()) / "old";
        make_old_library(old.native());
        int behind = 0;
        for (int kill = 0; kill < rounds / 5; ++kill) {
            const std::filesystem::path folder = old.parent_path() / std::to_string(kill);
            std::filesystem::copy(old, folder);
            killed({"--work", folder.native(), "--steps", "0"}, 150'000);
            {
                SQLite::Database database((folder / "catalog.sqlite").native(), SQLite::OPEN_READWRITE);
                const int version = database.execAndGet("PRAGMA user_version").getInt();
                QVERIFY(version >= 1 && version <= known_migrations().back().number);
                behind += version < known_migrations().back().number;
                QCOMPARE(database.execAndGet("SELECT count(*) FROM vectors").getInt(), 2000);
            }
            {
                const Library library(folder, OpenMode::ReadWrite);
            }
            const Verdict verdict = verify(folder);
            QVERIFY2(verdict.problems.empty(), verdict.problems.empty() ? "" : verdict.problems[0].c_str());
            QCOMPARE(verdict.counts.files, 2000);
            std::filesystem::remove_all(folder);
        }
        qInfo("%d kills, %d of them before the last migration was done", rounds / 5, behind);
    }

    void a_power_cut_leaves_whole_files_only()
    {
        QTemporaryDir dir;
        const std::string folder = dir.path().toStdString() + "/library";
        std::vector<std::pair<std::string, int64_t>> images;  // and how many files were committed then
        int64_t writes = 0, syncs = 0;
        {
            PowerLoss disk;
            std::ostringstream said;
            const int every = 5000 / rounds | 1;  // of about 6,500 writes; odd, so that no kind of write is always met or missed
            disk.after_write([&, every] {
                if (disk.writes() % every != 0 || std::ssize(images) >= 2 * rounds)
                    return;
                images.emplace_back(dir.path().toStdString() + "/" + std::to_string(images.size()),
                                    std::ranges::count(said.str(), '\n'));
                disk.image(folder, images.back().first, random_);
            });
            for (int part = 0; part < 6; ++part)
                work(folder, kFiles / 3, said);
            writes = disk.writes();
            syncs = disk.syncs();
        }
        check_finished(folder);
        int64_t lost = 0;
        for (const auto& [image, committed] : images) {
            {
                const Library opened(image, OpenMode::ReadWrite);
                int64_t there = 0;
                for (int step = 0; step < 2 * kFiles; ++step)
                    there += opened.unchanged(numbered(step % kFiles, false).facts, step >= kFiles ? kNewSpace : kSpace);
                // A failed file counts for both spaces, and what was just being committed may be there already.
                lost += std::max<int64_t>(0, committed - there);
            }
            check_stored(image);
            if (QTest::currentTestFailed())
                return;
            // And the work can be ended from there.
            std::ostringstream said;
            work(image, 1'000'000, said);
            check_finished(image);
            if (QTest::currentTestFailed())
                return;
            std::filesystem::remove_all(image);
        }
        qInfo("%zd power cuts over %lld writes and %lld syncs; %.1f commits lost at a cut", std::ssize(images),
              static_cast<long long>(writes), static_cast<long long>(syncs),
              static_cast<double>(lost) / static_cast<double>(std::max<size_t>(1, images.size())));
        QVERIFY(std::ssize(images) >= rounds);
    }
};

int main(int argc, char** argv)
{
    std::vector<char*> rest{argv[0]};
    std::string folder;
    int steps = 1'000'000;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--work" && i + 1 < argc)
            folder = argv[++i];
        else if (argument == "--steps" && i + 1 < argc)
            steps = std::stoi(argv[++i]);
        else if (argument == "--rounds" && i + 1 < argc)
            rounds = std::stoi(argv[++i]);
        else
            rest.push_back(argv[i]);
    }
    if (!folder.empty()) {
        try {
            work(folder, steps, std::cout);
            return 0;
        } catch (const Error& error) {
            std::cerr << error.what() << '\n';
            return 1;
        }
    }
    qputenv("QTEST_FUNCTION_TIMEOUT", "86400000");  // Qt ends a function after five minutes, too soon for a long run
    TestCrash test;
    return QTest::qExec(&test, static_cast<int>(rest.size()), rest.data());
}

#include "tst_crash.moc"
