// SPDX-License-Identifier: Apache-2.0
// The commands that look after a library: verify, repair, relink, model use, and index --watch.
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "tests/app/cli/command.h"
#include "tests/app/jobs/test_media.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint::tests;
namespace fs = std::filesystem;

class TestCliLibrary : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> dir_;
    fs::path root_, media_, model_;
    std::unique_ptr<Command> imprint_;

private Q_SLOTS:
    void init()
    {
        dir_ = std::make_unique<QTemporaryDir>();
        root_ = fs::canonical(dir_->path().toStdString());
        media_ = root_ / "media";
        fs::create_directories(media_);
        for (int i = 0; i < 3; ++i)
            make_picture(media_ / ("picture" + std::to_string(i) + ".png"), i);
        model_ = make_tiny_checkpoint(root_);
        imprint_ = std::make_unique<Command>(root_ / "library", model_);
        QCOMPARE((*imprint_)({"index", text_of(media_)}).code, 0);
    }

    void a_damaged_library_is_found_out_and_repaired()
    {
        const Said whole = (*imprint_)({"verify", "--json"});
        QCOMPARE(whole.code, 0);
        QCOMPARE(whole.json()["good"].toBool(), true);
        QCOMPARE(whole.json()["moments"].toInt(), 3);
        QVERIFY(whole.json()["bytes_per_moment"].toDouble() > 0);
        QCOMPARE((*imprint_)({"repair"}).out, QByteArray("Nothing to repair.\n"));

        {  // a byte within the path of a file, which only a checksum tells from another path
            const fs::path catalog = root_ / "library" / "catalog.sqlite";
            std::string bytes = read_file(catalog);
            const size_t at = bytes.rfind("picture1.png");
            QVERIFY(at != std::string::npos);
            for (size_t found = 0; (found = bytes.find("picture1.png", found)) != std::string::npos; ++found)
                bytes[found + 7] = '7';
            write_file(catalog, bytes);
        }
        const Said damaged = (*imprint_)({"verify", "--json"});
        QCOMPARE(damaged.code, 1);
        QVERIFY(!damaged.json()["problems"].toArray().isEmpty());
        const Said repaired = (*imprint_)({"repair", "--json"});
        QCOMPARE(repaired.code, 0);
        QCOMPARE(repaired.json()["to_index"].toInt(), 1);
        QCOMPARE((*imprint_)({"verify"}).code, 0);
        QCOMPARE((*imprint_)({"index", text_of(media_), "--json"}).json()["indexed"].toInt(), 1);
    }

    void a_moved_folder_is_relinked_without_reading_it_again()
    {
        const fs::path now = root_ / "elsewhere";
        fs::rename(media_, now);
        const Said relinked = (*imprint_)({"relink", text_of(media_), text_of(now), "--json"});
        QCOMPARE(relinked.code, 0);
        QCOMPARE(relinked.json()["files"].toInt(), 3);
        const QJsonObject again = (*imprint_)({"index", text_of(now), "--json"}).json();
        QCOMPARE(again["unchanged"].toInt(), 3);
        QCOMPARE(again["indexed"].toInt(), 0);
        QCOMPARE((*imprint_)({"relink", text_of(media_), text_of(now)}).code, 3);  // nothing is known there any more
        QCOMPARE((*imprint_)({"relink", text_of(now), text_of(now)}).code, 2);
    }

    void a_library_is_switched_to_another_model_and_remembers_it()
    {
        fs::create_directories(root_ / "other");
        const fs::path other = make_tiny_checkpoint(root_ / "other", 2);
        const Said switched = (*imprint_)({"model", "use", text_of(other), "--json"});
        QVERIFY2(switched.code == 0, switched.err);
        QCOMPARE(switched.json()["indexed"].toInt(), 3);
        QCOMPARE(switched.json()["away"].toInt(), 0);
        const QString space = switched.json()["space"].toString();
        const QStringList search{"search", "a", "dog", "--all", "--json", "--library", text_of(root_ / "library")};
        QCOMPARE((*imprint_)(search, false).json()["space"].toString(), space);
        QCOMPARE((*imprint_)({"search", "a", "dog"}).code, 3);  // names the old one
        QCOMPARE((*imprint_)({"model", "use", text_of(model_), "--json"}).json()["unchanged"].toInt(), 3);
        fs::remove(other);
        QCOMPARE((*imprint_)(search, false).json()["results"].toArray().size(), 3);
    }

    void what_changes_is_indexed_until_it_is_stopped()
    {
        const auto process = imprint_->start({"index", text_of(media_), "--watch"});
        QTRY_VERIFY_WITH_TIMEOUT(process->canReadLine(), 60'000);
        QVERIFY(process->readLine().startsWith("3 files"));
        make_picture(root_ / "new.png", 9);
        fs::rename(root_ / "new.png", media_ / "new.png");
        QTRY_VERIFY_WITH_TIMEOUT(process->canReadLine(), 60'000);
        QVERIFY(process->readLine().startsWith("4 files: 1 indexed"));
        process->terminate();
        QCOMPARE(Command::finish(*process).code, 0);
        QCOMPARE((*imprint_)({"verify"}).code, 0);
    }
};

QTEST_GUILESS_MAIN(TestCliLibrary)
#include "tst_cli_library.moc"
