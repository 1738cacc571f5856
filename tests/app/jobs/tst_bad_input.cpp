// SPDX-License-Identifier: Apache-2.0
// A folder of bad input costs only its bad files.
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

#include "app/jobs/jobs.h"
#include "tests/app/jobs/test_media.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::jobs;
using namespace imprint::tests;
namespace fs = std::filesystem;

class TestBadInput : public QObject {
    Q_OBJECT

private:
    QTemporaryDir dir_;
    BadFolder mixed_;
    std::unique_ptr<Engine> engine_;
    IndexReport first_;

    const index::Failure* failure_of(const IndexReport& report, const fs::path& path) const
    {
        const auto found =
            std::find_if(report.failed.begin(), report.failed.end(), [&](const auto& f) { return f.path == path; });
        return found == report.failed.end() ? nullptr : &*found;
    }

private Q_SLOTS:
    void initTestCase()
    {
        const fs::path root = fs::canonical(dir_.path().toStdString());
        mixed_ = make_bad_folder(root);
        drop_root_powers();
        EngineOptions options;
        options.library = root / "library";
        options.checkpoint = make_tiny_checkpoint(root);
        options.decoder.worker = fs::path(IMPRINT_BIN_DIR) / "imprint-decode";
        engine_ = std::make_unique<Engine>(options);
        first_ = index_paths(*engine_, {mixed_.folder});
    }
    void cleanupTestCase()
    {
        engine_.reset();
        fs::remove_all(mixed_.folder);  // Qt's own clean-up stumbles over a name that is not UTF-8
    }

    void everything_good_is_indexed()
    {
        const index::Library library(engine_->library_folder(), index::OpenMode::ReadOnly);
        for (const fs::path& path : mixed_.good)
            QVERIFY2(library.find(path), path.c_str());
        QCOMPARE(first_.indexed, qint64(mixed_.good.size()));
    }

    void each_bad_file_is_listed_with_its_reason_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("kind");
        QTest::newRow("a text named .jpg") << "text.jpg"
                                           << "";
        QTest::newRow("an empty .png") << "empty.png"
                                       << "";
        QTest::newRow("a third of a JPEG") << "third.jpg"
                                           << "malformed";
        QTest::newRow("a video with bytes overwritten") << "overwritten.mp4"
                                                        << "";
        QTest::newRow("a PNG of 30,000 x 30,000") << "huge.png"
                                                  << "limit-exceeded";
        QTest::newRow("an unreadable file") << "unreadable.jpg"
                                            << "permission";
        QTest::newRow("a dangling link") << "dangling.jpg"
                                         << "not-found";
        QTest::newRow("a FIFO") << "pipe.jpg"
                                << "unsupported";
    }
    void each_bad_file_is_listed_with_its_reason()
    {
        QFETCH(QString, name);
        QFETCH(QString, kind);
        const index::Failure* failure = failure_of(first_, mixed_.folder / name.toStdString());
        QVERIFY(failure);
        QVERIFY(!failure->reason.empty());
        if (!kind.isEmpty())
            QCOMPARE(QString::fromStdString(failure->kind), kind);
        QCOMPARE(first_.failed.size(), mixed_.bad.size());
    }

    void the_second_run_decodes_nothing_and_lists_the_same()
    {
        const index::Library before(engine_->library_folder(), index::OpenMode::ReadOnly);
        const int64_t revision = before.revision();
        const IndexReport second = index_paths(*engine_, {mixed_.folder});
        QCOMPARE(second.indexed, 0);
        QCOMPARE(second.unchanged, qint64(mixed_.good.size()));
        QCOMPARE(second.failed.size(), mixed_.bad.size());
        for (const fs::path& path : mixed_.bad)
            QVERIFY2(failure_of(second, path), path.c_str());
        QCOMPARE(before.revision(), revision);
    }

    void a_file_that_may_be_read_again_is_read_again()
    {
        fs::permissions(mixed_.folder / "unreadable.jpg", fs::perms::owner_all);
        const IndexReport third = index_paths(*engine_, {mixed_.folder});
        QCOMPARE(third.indexed, 1);
        QCOMPARE(third.failed.size(), mixed_.bad.size() - 1);
    }

    void forgotten_failures_are_tried_again()
    {
        index::Library(engine_->library_folder(), index::OpenMode::ReadWrite).forget_failures();
        const IndexReport again = index_paths(*engine_, {mixed_.folder});
        QCOMPARE(again.indexed, 0);
        QCOMPARE(again.failed.size(), mixed_.bad.size() - 1);
    }

    void an_unknown_file_counts_only_when_named()
    {
        QVERIFY(!failure_of(first_, mixed_.folder / "notes.txt"));
        const IndexReport named = index_paths(*engine_, {mixed_.folder / "notes.txt"});
        QCOMPARE(named.failed.size(), size_t(1));
    }
};

QTEST_GUILESS_MAIN(TestBadInput)
#include "tst_bad_input.moc"
