// SPDX-License-Identifier: Apache-2.0
// Thumbnails shared with the desktop's other programs.
#include <QCryptographicHash>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <sys/stat.h>

#include <filesystem>

#include "app/gui/thumbnail_store.h"

using namespace imprint::gui;
namespace fs = std::filesystem;

class TestThumbnailStore : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> dir_;
    fs::path folder_, file_;

    static QImage picture(int width, int height)
    {
        QImage image(width, height, QImage::Format_RGB32);
        image.fill(QColor(30, 120, 200));
        return image;
    }
    static void touch(const fs::path& file, const char* content = "x")
    {
        QFile out(QFile::decodeName(file.c_str()));
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write(content);
    }

private Q_SLOTS:
    void init()
    {
        dir_ = std::make_unique<QTemporaryDir>();
        folder_ = fs::path(dir_->path().toStdString()) / "thumbnails";
        file_ = fs::path(dir_->path().toStdString()) / "a picture.jpg";
        touch(file_);
    }

    void names_are_what_other_programs_look_for_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("uri");
        // Of GLib's g_filename_to_uri.
        QTest::newRow("the standard's example")
            << QByteArray("/home/jens/photos/me.png") << QByteArray("file:///home/jens/photos/me.png");
        QTest::newRow("a blank") << QByteArray("/a b") << QByteArray("file:///a%20b");
        QTest::newRow("UTF-8") << QByteArray("/\xc3\xa9") << QByteArray("file:///%C3%A9");
        QTest::newRow("no UTF-8") << QByteArray("/\xe9") << QByteArray("file:///%E9");
        QTest::newRow("plain signs") << QByteArray("/!$&'()*+,-.:=@_~") << QByteArray("file:///!$&'()*+,-.:=@_~");
        QTest::newRow("other signs") << QByteArray("/;?#%[]\"") << QByteArray("file:///%3B%3F%23%25%5B%5D%22");
    }
    void names_are_what_other_programs_look_for()
    {
        QFETCH(QByteArray, path);
        QTEST(ThumbnailStore::uri_of(path.toStdString()), "uri");
    }

    void what_is_kept_is_found_while_the_file_is_the_same()
    {
        const ThumbnailStore store(folder_);
        QVERIFY(store.read(file_, 512).isNull());
        store.write(file_, 512, picture(800, 600));
        QCOMPARE(store.read(file_, 512).size(), QSize(512, 384));
        QCOMPARE(store.read(file_, 100).size(), QSize(512, 384));  // larger than asked for will do
        QVERIFY(store.read(file_, 600).isNull());
        fs::last_write_time(file_, fs::file_time_type::clock::now() - std::chrono::hours(1));
        QVERIFY(store.read(file_, 512).isNull());
    }

    void it_lies_where_the_standard_says_and_nobody_else_may_look()
    {
        ThumbnailStore(folder_).write(file_, 128, picture(800, 600));
        const QByteArray name = QCryptographicHash::hash(ThumbnailStore::uri_of(file_), QCryptographicHash::Md5).toHex() + ".png";
        const fs::path place = folder_ / "normal" / name.toStdString();
        struct stat facts { };
        QCOMPARE(::stat(place.c_str(), &facts), 0);
        QCOMPARE(facts.st_mode & 0777u, 0600u);
        QCOMPARE(::stat(folder_.c_str(), &facts), 0);
        QCOMPARE(facts.st_mode & 0777u, 0700u);
        const QImage image(QFile::decodeName(place.c_str()));
        QCOMPARE(image.size(), QSize(128, 96));
        QCOMPARE(image.text("Thumb::URI"), QString::fromLatin1(ThumbnailStore::uri_of(file_)));
        QCOMPARE(::stat(file_.c_str(), &facts), 0);
        QCOMPARE(image.text("Thumb::MTime"), QString::number(facts.st_mtim.tv_sec));
    }

    void what_a_file_manager_made_is_read()
    {
        struct stat facts { };
        QCOMPARE(::stat(file_.c_str(), &facts), 0);
        QImage theirs = picture(256, 170);
        theirs.setText("Thumb::URI", QString::fromLatin1(ThumbnailStore::uri_of(file_)));
        theirs.setText("Thumb::MTime", QString::number(facts.st_mtim.tv_sec));
        fs::create_directories(folder_ / "large");
        const QByteArray name = QCryptographicHash::hash(ThumbnailStore::uri_of(file_), QCryptographicHash::Md5).toHex() + ".png";
        const QString place = QFile::decodeName((folder_ / "large" / name.toStdString()).c_str());
        QVERIFY(theirs.save(place));
        QCOMPARE(ThumbnailStore(folder_).read(file_, 256).size(), QSize(256, 170));
        theirs.setText("Thumb::URI", "file:///another");  // by mistake, or by design
        QVERIFY(theirs.save(place));
        QVERIFY(ThumbnailStore(folder_).read(file_, 256).isNull());
    }

    void a_file_whose_disk_is_away_can_still_be_seen()
    {
        const ThumbnailStore store(folder_);
        store.write(file_, 512, picture(300, 300));
        fs::remove(file_);
        QVERIFY(store.read(file_, 512).isNull());
        QCOMPARE(store.read_of_missing(file_).size(), QSize(300, 300));
        QVERIFY(store.read_of_missing(folder_ / "other.jpg").isNull());
    }

    void a_store_that_cannot_be_written_is_no_error()
    {
        touch(folder_, "a file, not a folder");
        const ThumbnailStore store(folder_);
        store.write(file_, 512, picture(300, 300));
        QVERIFY(store.read(file_, 512).isNull());
        QVERIFY(store.read_of_missing(file_).isNull());
    }
};

QTEST_GUILESS_MAIN(TestThumbnailStore)
#include "tst_thumbnail_store.moc"
