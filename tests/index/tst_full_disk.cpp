// SPDX-License-Identifier: Apache-2.0
// No room to write: a typed error that names the library, and nothing that was committed is lost. The limit on the size of
// files stands for the end of the disk: it works for every user, and writes fail in the same place.
#include <QTemporaryDir>
#include <QtTest>

#include <sys/resource.h>

#include <csignal>

#include "core/base/error.h"
#include "index/search.h"
#include "tests/index/library_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

namespace {

class SmallDisk {
public:
    explicit SmallDisk(rlim_t bytes)
    {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit small{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    ~SmallDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

private:
    rlimit before_{};
};

}  // namespace

class TestFullDisk : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keeps_what_was_committed_data();
    void keeps_what_was_committed();
    void a_library_cannot_begin_on_a_full_disk();
    void a_snapshot_that_finds_no_room_costs_nothing();
};

void TestFullDisk::keeps_what_was_committed_data()
{
    QTest::addColumn<int>("kilobytes");
    for (const int kilobytes : {200, 333, 1000, 2500})
        QTest::addRow("%d kB", kilobytes) << kilobytes;
}

void TestFullDisk::keeps_what_was_committed()
{
    QFETCH(int, kilobytes);
    QTemporaryDir temporary;
    const std::filesystem::path folder = temporary.path().toStdString() + "/library";
    std::mt19937 random(5);
    Library library(folder, OpenMode::ReadWrite);
    library.use_space(kSpace, kDim);
    int put = 0;
    std::optional<Error> error;
    {
        const SmallDisk small(static_cast<rlim_t>(kilobytes) * 1000);
        for (; !error && put < 5000; ++put) {
            try {
                library.put(entry(random, "/m/" + std::to_string(put), media::Kind::Video, 20), kSpace, bank());
            } catch (const Error& caught) {
                error = caught;
                --put;
            }
        }
        QVERIFY2(error.has_value(), "the disk was never full");
        QVERIFY2(error->kind() == ErrorKind::DiskFull, error->what());
        QCOMPARE(error->subject(), folder.native());
        QVERIFY(!error->remedy().empty());
        QCOMPARE(library.counts().files, put);
        QVERIFY(library.check().empty());
        QCOMPARE(Library(folder, OpenMode::ReadOnly).counts().moments, 40 * put);
    }
    // Room was made: the same object goes on.
    library.put(entry(random, "/m/" + std::to_string(put), media::Kind::Video, 20), kSpace, bank());
    QCOMPARE(library.counts().files, put + 1);
    QVERIFY(library.check().empty());
}

void TestFullDisk::a_library_cannot_begin_on_a_full_disk()
{
    QTemporaryDir temporary;
    const std::filesystem::path folder = temporary.path().toStdString() + "/library";
    {
        const SmallDisk none(4096);
        try {
            Library(folder, OpenMode::ReadWrite);
            QFAIL("no error was thrown");
        } catch (const Error& error) {
            QVERIFY2(error.kind() == ErrorKind::DiskFull, error.what());
        }
    }
    QCOMPARE(Library(folder, OpenMode::ReadWrite).counts().files, 0);
}

void TestFullDisk::a_snapshot_that_finds_no_room_costs_nothing()
{
    QTemporaryDir temporary;
    const std::filesystem::path folder = temporary.path().toStdString() + "/library";
    std::mt19937 random(5);
    {
        Library library(folder, OpenMode::ReadWrite);
        library.use_space(kSpace, kDim);
        for (int i = 0; i < 100; ++i)
            library.put(entry(random, "/m/" + std::to_string(i), media::Kind::Video, 20), kSpace, bank());
    }
    Searcher searcher(folder, {.snapshot_from = 1});
    {
        const SmallDisk small(100'000);
        searcher.refresh();
    }
    QCOMPARE(searcher.state().moments, 4000);
    QCOMPARE(searcher.state().snapshots_written, 0);
    QVERIFY2(!std::filesystem::exists(folder / "faiss") || std::filesystem::is_empty(folder / "faiss"),
             "half a snapshot was left behind");
}

QTEST_APPLESS_MAIN(TestFullDisk)
#include "tst_full_disk.moc"
