// SPDX-License-Identifier: Apache-2.0
// What the scan finds, passes over and refuses.
#include <sys/stat.h>

#include <QTemporaryDir>
#include <QTest>

#include "app/jobs/scan.h"
#include "tests/app/jobs/test_media.h"

using namespace imprint;
using namespace imprint::jobs;
using namespace imprint::tests;
namespace fs = std::filesystem;

class TestScan : public QObject {
    Q_OBJECT

private:
    static Scan scan_all(const std::vector<fs::path>& paths, const fs::path& skip = {}) { return scan(paths, skip, {}, {}); }
    static QStringList names(const Scan& found, const fs::path& below)
    {
        QStringList list;
        for (const Candidate& file : found.files)
            list << QString::fromStdString(fs::path(file.path).lexically_relative(below).native());
        return list;
    }

private Q_SLOTS:
    void initTestCase() { drop_root_powers(); }

    void hidden_and_own_files_are_passed_over_unless_named()
    {
        QTemporaryDir dir;
        const fs::path root = fs::canonical(dir.path().toStdString());
        for (const char* folder : {"a", ".thumbnails", "library"})
            fs::create_directories(root / folder);
        for (const char* name : {"b.jpg", "a/x.jpg", ".hidden.jpg", ".thumbnails/t.jpg", "library/l.jpg"})
            write_file(root / name, "x");
        QCOMPARE(names(scan_all({root}, root / "library"), root), (QStringList{"a/x.jpg", "b.jpg"}));
        QCOMPARE(names(scan_all({root / ".thumbnails", root / ".hidden.jpg"}), root),
                 (QStringList{".thumbnails/t.jpg", ".hidden.jpg"}));
    }

    void each_file_is_found_once_whatever_paths_lead_to_it()
    {
        QTemporaryDir dir;
        const fs::path root = fs::canonical(dir.path().toStdString());
        fs::create_directories(root / "a");
        write_file(root / "a" / "x.jpg", "x");
        QCOMPARE(names(scan_all({root / "a", root, root / "a" / "x.jpg"}), root), QStringList{"a/x.jpg"});
    }

    void links_are_counted_but_not_followed()
    {
        QTemporaryDir dir;
        const fs::path root = fs::canonical(dir.path().toStdString());
        fs::create_directories(root / "real");
        write_file(root / "real" / "x.jpg", "x");
        fs::create_directory_symlink(root, root / "real" / "loop");
        fs::create_symlink(root / "real" / "x.jpg", root / "again.jpg");
        const Scan found = scan_all({root});
        QCOMPARE(names(found, root), QStringList{"real/x.jpg"});
        QCOMPARE(found.links, 2);
        QVERIFY(found.refused.empty());
        QCOMPARE(catalog_path(root / "again.jpg"), root / "real" / "x.jpg");
    }

    void what_the_system_refuses_is_listed_with_its_reason_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("kind");
        QTest::newRow("dangling link") << "dangling"
                                       << "not-found";
        QTest::newRow("FIFO") << "pipe"
                              << "unsupported";
        QTest::newRow("unreadable file") << "locked.jpg"
                                         << "permission";
        QTest::newRow("unreadable folder") << "closed"
                                           << "permission";
    }
    void what_the_system_refuses_is_listed_with_its_reason()
    {
        QTemporaryDir dir;
        const fs::path root = fs::canonical(dir.path().toStdString());
        QFETCH(QString, name);
        const fs::path path = root / name.toStdString();
        if (name == "dangling") {
            fs::create_symlink(root / "nowhere", path);
        } else if (name == "pipe") {
            ::mkfifo(path.c_str(), 0600);
        } else if (name == "closed") {
            fs::create_directories(path);
            fs::permissions(path, fs::perms::none);
        } else {
            write_file(path, "x");
            fs::permissions(path, fs::perms::none);
        }
        const Scan found = scan_all({root});
        fs::permissions(name == "closed" ? path : root, fs::perms::owner_all);
        QVERIFY(found.files.empty());
        QCOMPARE(found.refused.size(), size_t(1));
        QCOMPARE(found.refused[0].facts.path, path);
        QTEST(QString::fromStdString(found.refused[0].failure.kind), "kind");
        QVERIFY(!found.refused[0].failure.reason.empty());
        QCOMPARE(found.unreadable.size(), size_t(name == "closed" ? 1 : 0));
    }

    void only_media_names_are_certain_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("certain");
        QTest::newRow("lower case") << "a.jpg" << true;
        QTest::newRow("upper case") << "A.JPEG" << true;
        QTest::newRow("video") << "a.mkv" << true;
        QTest::newRow("sound") << "a.opus" << true;
        QTest::newRow("text") << "a.txt" << false;
        QTest::newRow("code") << "a.ts" << false;
        QTest::newRow("none") << "jpg" << false;
        QTest::newRow("hidden") << ".jpg" << false;
    }
    void only_media_names_are_certain()
    {
        QFETCH(QString, name);
        QTEST(has_media_extension(name.toStdString()), "certain");
    }

    void below_means_folder_by_folder()
    {
        QVERIFY(is_below("/a/b", "/a"));
        QVERIFY(is_below("/a", "/a"));
        QVERIFY(is_below("/a", "/"));
        QVERIFY(!is_below("/ab", "/a"));
        QVERIFY(!is_below("/a", "/a/b"));
    }

    void a_cancelled_scan_ends()
    {
        QTemporaryDir dir;
        const CancelToken cancel;
        cancel.cancel();
        QVERIFY_EXCEPTION_THROWN(scan({dir.path().toStdString()}, {}, {}, cancel), Error);
    }
};

QTEST_GUILESS_MAIN(TestScan)
#include "tst_scan.moc"
