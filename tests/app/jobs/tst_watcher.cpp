// SPDX-License-Identifier: Apache-2.0
// Changes below folders are told, each with the folder to look at again.
#include <QTemporaryDir>
#include <QTest>

#include <thread>

#include "app/jobs/scan.h"
#include "app/jobs/watcher.h"
#include "tests/app/jobs/test_media.h"

using namespace imprint;
using namespace imprint::jobs;
using imprint::tests::write_file;
namespace fs = std::filesystem;

using Change = std::function<void(const fs::path& root)>;

class TestWatcher : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> dir_;
    fs::path root_;

    static WatchOptions quick()
    {
        WatchOptions options;
        options.quiet = std::chrono::milliseconds(150);
        return options;
    }
    /// Gives up after a while, so that a change that is not told fails the test instead of hanging it.
    static std::vector<fs::path> told(Watcher& watcher, int patience_ms = 20'000)
    {
        const CancelToken cancel;
        std::jthread end([&](const std::stop_token& stop) {
            for (int waited = 0; waited < patience_ms && !stop.stop_requested(); waited += 20)
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            cancel.cancel();
        });
        return watcher.wait(cancel);
    }

private Q_SLOTS:
    void init()
    {
        dir_ = std::make_unique<QTemporaryDir>();
        root_ = fs::canonical(dir_->path().toStdString()) / "root";
        fs::create_directories(root_ / "sub" / "deep");
        fs::create_directories(root_ / ".hidden");
        fs::create_directories(root_ / "library");
        write_file(root_ / "sub" / "a.txt", "a");
    }

    void a_change_is_told_with_its_folder_data()
    {
        QTest::addColumn<Change>("change");
        QTest::addColumn<QString>("folder");
        QTest::newRow("a new file") << Change([](const fs::path& root) { write_file(root / "sub/new.txt", "x"); }) << "sub";
        QTest::newRow("a file written again")
            << Change([](const fs::path& root) { write_file(root / "sub/a.txt", "b"); }) << "sub";
        QTest::newRow("a file removed") << Change([](const fs::path& root) { fs::remove(root / "sub/a.txt"); }) << "sub";
        QTest::newRow("a file renamed") << Change([](const fs::path& root) {
            fs::rename(root / "sub/a.txt", root / "sub/b.txt");
        }) << "sub";
        QTest::newRow("access given") << Change([](const fs::path& root) { fs::permissions(root / "sub/a.txt", fs::perms::all); })
                                      << "sub";
        QTest::newRow("far below") << Change([](const fs::path& root) { write_file(root / "sub/deep/x", "x"); }) << "sub/deep";
        QTest::newRow("a new folder with a file") << Change([](const fs::path& root) {
            fs::create_directory(root / "sub/fresh");
            write_file(root / "sub/fresh/x", "x");
        }) << "sub";
        QTest::newRow("a folder removed") << Change([](const fs::path& root) { fs::remove_all(root / "sub/deep"); }) << "sub";
        QTest::newRow("several at once") << Change([](const fs::path& root) {
            write_file(root / "x", "x");
            write_file(root / "sub/deep/x", "x");
        }) << ".";
    }
    void a_change_is_told_with_its_folder()
    {
        QFETCH(Change, change);
        QFETCH(QString, folder);
        Watcher watcher({root_}, root_ / "library", quick());
        QVERIFY(watcher.blind().empty());
        change(root_);
        QCOMPARE(told(watcher), std::vector{catalog_path(root_ / folder.toStdString())});
    }

    void what_is_hidden_or_the_library_itself_is_not_told()
    {
        Watcher watcher({root_}, root_ / "library", quick());
        write_file(root_ / ".thumbnail", "x");
        write_file(root_ / ".hidden" / "x", "x");
        write_file(root_ / "library" / "catalog.sqlite", "x");
        QVERIFY(told(watcher, 600).empty());
    }

    void a_new_folder_is_watched_too()
    {
        Watcher watcher({root_}, {}, quick());
        fs::create_directories(root_ / "fresh" / "deep");
        QCOMPARE(told(watcher), std::vector{root_});
        write_file(root_ / "fresh" / "x", "x");
        QCOMPARE(told(watcher), std::vector{root_ / "fresh"});
    }

    void a_file_that_was_named_is_watched_alone()
    {
        Watcher watcher({root_ / "sub" / "a.txt"}, {}, quick());
        write_file(root_ / "sub" / "other.txt", "x");
        QVERIFY(told(watcher, 600).empty());
        write_file(root_ / "sub" / "a.txt", "b");
        QCOMPARE(told(watcher), std::vector{root_ / "sub" / "a.txt"});
    }

    void more_changes_than_the_system_can_tell_mean_everything()
    {
        Watcher watcher({root_}, {}, quick());
        // The kernel keeps some ten thousand events that nobody has read.
        for (int i = 0; i < 10'000; ++i) {
            write_file(root_ / "sub" / "deep" / std::to_string(i), "");
            fs::remove(root_ / "sub" / "deep" / std::to_string(i));
        }
        QCOMPARE(told(watcher), std::vector{root_});
    }

    void where_watches_end_the_clock_goes_on()
    {
        WatchOptions few = quick();
        few.most_watches = 1;
        few.rescan = std::chrono::milliseconds(300);
        Watcher watcher({root_}, {}, few);
        QCOMPARE(watcher.blind().size(), size_t(1));
        write_file(root_ / "sub" / "deep" / "x", "x");  // not watched
        QCOMPARE(told(watcher), std::vector{root_});
    }

    void a_root_that_is_away_is_looked_for()
    {
        WatchOptions options = quick();
        options.rescan = std::chrono::milliseconds(300);
        const fs::path disk = root_.parent_path() / "disk";
        Watcher watcher({disk}, {}, options);
        QCOMPARE(watcher.blind().size(), size_t(1));
        fs::create_directory(disk);
        QCOMPARE(told(watcher), std::vector{disk});
        while (!watcher.blind().empty())
            told(watcher, 400);
        write_file(disk / "x", "x");
        QCOMPARE(told(watcher), std::vector{disk});
    }
};

QTEST_GUILESS_MAIN(TestWatcher)
#include "tst_watcher.moc"
