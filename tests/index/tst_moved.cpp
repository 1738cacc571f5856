// SPDX-License-Identifier: Apache-2.0
// Files that are elsewhere now keep their number, moments and vectors.
#include <QTemporaryDir>
#include <QtTest>

#include <fstream>

#include "index/search.h"
#include "index/verify.h"
#include "tests/index/library_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;
namespace fs = std::filesystem;

class TestMoved : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> dir_;
    std::unique_ptr<Library> library_;
    std::mt19937 random_{4};

    fs::path root() const { return dir_->path().toStdString(); }
    static Fingerprint content(int number)
    {
        Fingerprint fingerprint{};
        fingerprint[0] = static_cast<uint8_t>(number);
        return fingerprint;
    }
    void put(const fs::path& path, int number)
    {
        FileEntry file = entry(random_, path, media::Kind::Video, 3);
        file.fingerprint = content(number);
        library_->put(file, kSpace, bank());
    }
    int64_t id_of(const fs::path& path) const
    {
        const auto row = library_->find(path);
        return row ? row->id : 0;
    }
    void whole() const
    {
        const Verdict verdict = verify(root() / "library");
        QVERIFY2(verdict.problems.empty(), verdict.problems.empty() ? "" : verdict.problems[0].c_str());
    }

private Q_SLOTS:
    void init()
    {
        dir_ = std::make_unique<QTemporaryDir>();
        library_ = std::make_unique<Library>(root() / "library", OpenMode::ReadWrite);
        library_->use_space(kSpace, kDim);
    }
    void cleanup()
    {
        whole();
        library_.reset();
    }

    void a_renamed_file_keeps_its_number_and_moments()
    {
        const fs::path before = root() / "a.mp4", now = root() / "sub\xff" / "b.mp4";
        put(before, 1);
        const int64_t id = id_of(before);
        const std::vector<Moment> moments = library_->moments(id);
        QVERIFY(library_->knows_size(facts(before).size));
        QVERIFY(!library_->knows_size(facts(before).size + 1));
        QCOMPARE(library_->was_at(now, content(1)), std::optional(before));
        QVERIFY(!library_->was_at(now, content(2)));
        FileFacts moved = facts(now);
        moved.mtime_ns += 5;
        QVERIFY(library_->move_file(before, moved));
        QCOMPARE(id_of(now), id);
        QCOMPARE(id_of(before), 0);
        QCOMPARE(library_->moments(id).size(), moments.size());
        QVERIFY(library_->unchanged(moved, kSpace));
        QVERIFY(!library_->move_file(before, moved));
    }

    void a_copy_is_not_a_move()
    {
        const fs::path there = root() / "there.mp4";
        std::ofstream(there) << "still here";
        put(there, 1);
        QVERIFY(!library_->was_at(root() / "copy.mp4", content(1)));
        QCOMPARE(library_->was_at(there, content(1)), std::optional(there));
    }

    void a_file_on_a_disk_that_is_away_is_not_gone()
    {
        fs::create_directory(root() / "mnt");  // an empty mount point, on another device than the file's
        put(root() / "mnt" / "a.mp4", 1);
        QVERIFY(!library_->was_at(root() / "b.mp4", content(1)));
    }

    void what_stood_at_the_new_path_goes()
    {
        put(root() / "a", 1);
        put(root() / "b", 2);
        const int64_t id = id_of(root() / "a");
        QVERIFY(library_->move_file(root() / "a", facts(root() / "b")));
        QCOMPARE(id_of(root() / "b"), id);
        QCOMPARE(library_->counts().files, 1);
    }

    void a_folder_is_relinked_with_all_that_is_below_it_data()
    {
        QTest::addColumn<QByteArray>("from");
        QTest::addColumn<QByteArray>("to");
        QTest::newRow("to another disk") << QByteArray("/disk/photos") << QByteArray("/mnt/new");
        QTest::newRow("deeper into itself") << QByteArray("/disk/photos") << QByteArray("/disk/photos/old");
        QTest::newRow("out of itself") << QByteArray("/disk/photos") << QByteArray("/disk");
        QTest::newRow("a slash at the end") << QByteArray("/disk/photos/") << QByteArray("/mnt/new/");
        QTest::newRow("a name that is not UTF-8") << QByteArray("/disk/photos") << QByteArray("/mnt/\xff\xfe");
        QTest::newRow("a longer name with the same beginning") << QByteArray("/disk/photos") << QByteArray("/disk/photos2");
    }
    void a_folder_is_relinked_with_all_that_is_below_it()
    {
        QFETCH(QByteArray, from);
        QFETCH(QByteArray, to);
        const std::string names[] = {"/1.mp4", "/sub/2.mp4", "/sub/old/3.mp4", "/photos/4.mp4", "/\xe9.mp4"};
        library_->add_root("/disk/photos");
        library_->set_place("/disk/photos", VolumePlace{"1234-ABCD", "/photos"});
        library_->add_root("/elsewhere");
        std::vector<int64_t> ids;
        for (const std::string& name : names) {
            put("/disk/photos" + name, 1);
            ids.push_back(id_of("/disk/photos" + name));
        }
        put("/disk/photoshop.mp4", 2);  // its name begins alike
        const Relinked relinked = library_->relink(from.toStdString(), to.toStdString());
        QCOMPARE(relinked.files, 5);
        QCOMPARE(relinked.roots, 1);
        std::string target = to.toStdString();
        target = target.ends_with('/') ? target.substr(0, target.size() - 1) : target;
        for (size_t i = 0; i < ids.size(); ++i)
            QCOMPARE(id_of(target + names[i]), ids[i]);
        QVERIFY(id_of("/disk/photoshop.mp4") > 0);
        const std::vector<Root> roots = library_->root_places();
        QCOMPARE(roots[0].path, fs::path(target));
        QVERIFY(!roots[0].place);  // to be looked up where it is now
        QCOMPARE(roots[1].path, fs::path("/elsewhere"));
        QCOMPARE(library_->counts().files, 6);
    }

    void what_was_indexed_anew_at_the_new_place_gives_way()
    {
        put("/old/a", 1);
        put("/old/b", 2);
        put("/new/a", 1);
        put("/new/c", 3);
        const int64_t id = id_of("/old/a");
        QCOMPARE(library_->relink("/old", "/new").files, 2);
        QCOMPARE(id_of("/new/a"), id);
        QVERIFY(id_of("/new/b") > 0 && id_of("/new/c") > 0);
        QCOMPARE(library_->counts().files, 3);
        Searcher searcher(root() / "library");
        searcher.refresh();
        QCOMPARE(searcher.state().moments, library_->counts().moments);
    }

    void fingerprints_can_be_added_later()
    {
        library_->put(entry(random_, "/a"), kSpace, bank());
        library_->put(entry(random_, "/b"), kSpace, bank());
        QCOMPARE(library_->without_fingerprint({}, 10).size(), size_t(2));
        QCOMPARE(library_->without_fingerprint("/a", 10).size(), size_t(1));
        library_->set_fingerprint("/a", content(7));
        QCOMPARE(library_->without_fingerprint({}, 10).size(), size_t(1));
        QCOMPARE(library_->was_at("/x", content(7)), std::optional<fs::path>("/a"));
        library_->put(entry(random_, "/a"), kSpace, bank());  // new content, whose fingerprint nobody took
        QVERIFY(!library_->was_at("/x", content(7)));
    }
};

QTEST_APPLESS_MAIN(TestMoved)
#include "tst_moved.moc"
