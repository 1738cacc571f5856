// SPDX-License-Identifier: Apache-2.0
// The command in trouble: bad input, a second writer, missing parts, kills and stops at any moment.
#include <signal.h>

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

#include "core/base/error.h"
#include "index/library.h"
#include "tests/app/cli/command.h"
#include "tests/app/jobs/test_media.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::tests;
namespace fs = std::filesystem;

class TestCliTrouble : public QObject {
    Q_OBJECT

private:
    QTemporaryDir dir_;
    fs::path root_, model_;

    Command command(const std::string& library) const { return {root_ / library, model_}; }

    static int64_t files_in(const fs::path& library)
    {
        try {
            return index::Library(library, index::OpenMode::ReadOnly).counts().files;
        } catch (const Error&) {
            return 0;
        }
    }
    /// Three hundred pictures, enough that a run can be cut off in the middle.
    fs::path many_pictures()
    {
        const fs::path folder = root_ / "many";
        if (fs::exists(folder))
            return folder;
        fs::create_directories(folder);
        make_picture(folder / "0.png");
        for (int i = 1; i < 300; ++i)
            fs::copy_file(folder / "0.png", folder / (std::to_string(i) + ".png"));
        return folder;
    }

private Q_SLOTS:
    void initTestCase()
    {
        drop_root_powers();
        root_ = fs::canonical(dir_.path().toStdString());
        model_ = make_tiny_checkpoint(root_);
    }

    void bad_input_costs_only_the_bad_files()
    {
        const BadFolder mixed = make_bad_folder(root_);
        const Command imprint = command("bad");
        const Said first = imprint({"index", text_of(mixed.folder), "--json"});
        QCOMPARE(first.code, 1);
        const QJsonArray failed = first.json()["failed"].toArray();
        QCOMPARE(size_t(failed.size()), mixed.bad.size());
        for (const fs::path& bad : mixed.bad) {
            const bool listed = std::any_of(failed.begin(), failed.end(), [&](const QJsonValue& entry) {
                return entry.toObject()["path"].toString() == text_of(bad) && !entry.toObject()["reason"].toString().isEmpty();
            });
            QVERIFY2(listed, bad.c_str());
        }
        QCOMPARE(first.json()["indexed"].toInt(), int(mixed.good.size()));

        const Said second = imprint({"index", text_of(mixed.folder), "--json"});
        QCOMPARE(second.code, 1);
        QCOMPARE(second.json()["indexed"].toInt(), 0);
        QCOMPARE(second.json()["unchanged"].toInt(), int(mixed.good.size()));
        QCOMPARE(second.json()["failed"].toArray().size(), failed.size());

        QCOMPARE(imprint({"failures", "--json"}).json()["failures"].toArray().size(), failed.size());
        fs::permissions(mixed.folder / "unreadable.jpg", fs::perms::owner_all);
        const Said retried = imprint({"failures", "--retry", "--json"});
        QCOMPARE(retried.code, 1);
        QCOMPARE(retried.json()["indexed"].toInt(), 1);
        QCOMPARE(retried.json()["failed"].toArray().size(), failed.size() - 1);
        QCOMPARE(index::Library(root_ / "bad", index::OpenMode::ReadOnly).roots().size(), size_t(1));
        fs::remove_all(mixed.folder);
    }

    void a_second_writer_is_told_who_holds_the_library()
    {
        const index::Library holder(root_ / "held", index::OpenMode::ReadWrite);
        const Said said = command("held")({"index", text_of(root_)});
        QCOMPARE(said.code, 3);
        QVERIFY(said.out.isEmpty());
        QVERIFY2(said.err.contains(QByteArray::number(QCoreApplication::applicationPid())), said.err.constData());
    }

    void what_is_missing_is_named_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("named");
        QTest::newRow("no library to search") << QStringList{"search", "dog", "--library", "ROOT/none"} << "ROOT/none";
        QTest::newRow("no library to list") << QStringList{"failures", "--library", "ROOT/none"} << "ROOT/none";
        QTest::newRow("no model to index with")
            << QStringList{"index", "ROOT", "--library", "ROOT/none", "--model", "ROOT/no.safetensors"} << "ROOT/no.safetensors";
        QTest::newRow("no model to embed with")
            << QStringList{"embed", "--text", "dog", "--model", "ROOT/no.safetensors"} << "ROOT/no.safetensors";
        QTest::newRow("no model to measure") << QStringList{"eval", "ROOT/no.safetensors"} << "ROOT/no.safetensors";
        QTest::newRow("no recipe") << QStringList{"train", "ROOT/no.toml", "--run", "ROOT/run"} << "ROOT/no.toml";
    }
    void what_is_missing_is_named()
    {
        QFETCH(QStringList, arguments);
        QFETCH(QString, named);
        arguments.replaceInStrings("ROOT", text_of(root_));
        named.replace("ROOT", text_of(root_));
        const Said said = command("unused")(arguments, false);
        QCOMPARE(said.code, 3);
        QVERIFY(said.out.isEmpty());
        QVERIFY2(said.err.contains(named.toUtf8()), said.err.constData());
        QVERIFY(!fs::exists(root_ / "none"));
    }

    void what_is_bad_is_named_with_its_place_and_the_way_out_data()
    {
        write_file(root_ / "empty.toml", "name = \"Nothing\"\n");
        write_file(root_ / "equal.toml", "[[label]]\nname = \"cat\"\n[[label]]\nname = \" Cat\"\n");
        for (const std::string name : {"a", "b"}) {
            fs::create_directories(root_ / "one" / name);
            make_picture(root_ / "one" / name / "only.png");
            fs::create_directories(root_ / "unread" / name);
            for (int i = 0; i < 4; ++i)
                write_file(root_ / "unread" / name / (std::to_string(i) + ".jpg"), "no picture");
        }
        const std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
        write_file(root_ / "other.safetensors",
                   std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header + std::string(4, '\0'));
        {
            const index::Library made(root_ / "newer", index::OpenMode::ReadWrite);
        }
        QFile catalog(text_of(root_ / "newer/catalog.sqlite"));
        QVERIFY(catalog.open(QIODevice::ReadWrite) && catalog.seek(60));  // user_version (sqlite.org/fileformat2.html)
        QCOMPARE(catalog.write(QByteArray::fromHex("00010000")), qint64(4));

        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QStringList>("said");
        QTest::newRow("an empty label set") << QStringList{"label", "--set", "ROOT/empty.toml"}
                                            << QStringList{"ROOT/empty.toml:1", "no label", "Add at least one"};
        QTest::newRow("two equal names") << QStringList{"label", "--set", "ROOT/equal.toml"}
                                         << QStringList{"ROOT/equal.toml:3", "'Cat'", "a name of its own"};
        QTest::newRow("one image in a class")
            << QStringList{"finetune", "ROOT/one"}
            << QStringList{"ROOT/one", "3 readable files", "'a' has 1, 'b' has 1", "Give at least two classes"};
        QTest::newRow("a folder of unreadable files")
            << QStringList{"finetune", "ROOT/unread"} << QStringList{"ROOT/unread", "8 could not be read", "Give at least"};
        QTest::newRow("a checkpoint of another program")
            << QStringList{"embed", "--text", "dog", "--model", "ROOT/other.safetensors"}
            << QStringList{"ROOT/other.safetensors", "no Imprint checkpoint", "Name a checkpoint"};
        QTest::newRow("a library of a newer version")
            << QStringList{"search", "dog", "--library", "ROOT/newer"}
            << QStringList{"ROOT/newer/catalog.sqlite", "newer Imprint", "Update Imprint", "nothing was changed"};
    }
    void what_is_bad_is_named_with_its_place_and_the_way_out()
    {
        QFETCH(QStringList, arguments);
        QFETCH(QStringList, said);
        arguments.replaceInStrings("ROOT", text_of(root_));
        said.replaceInStrings("ROOT", text_of(root_));
        if (!arguments.contains("--library"))
            arguments << "--library" << text_of(root_ / "judged");
        if (!arguments.contains("--model"))
            arguments << "--model" << text_of(model_);
        const Said answer = Command(root_ / "judged", model_)(arguments, false);
        QCOMPARE(answer.code, 3);
        QVERIFY(answer.out.isEmpty());
        for (const QString& part : said)
            QVERIFY2(answer.err.contains(part.toUtf8()), answer.err.constData());
    }

    void a_missing_decoder_ends_the_run_and_blames_no_file()
    {
        const fs::path folder = many_pictures();
        qputenv("IMPRINT_DECODE", "/nowhere/imprint-decode");
        const Said said = command("undecoded")({"index", text_of(folder)});
        qunsetenv("IMPRINT_DECODE");
        QCOMPARE(said.code, 3);
        QVERIFY2(said.err.contains("/nowhere/imprint-decode"), said.err.constData());
        QVERIFY(index::Library(root_ / "undecoded", index::OpenMode::ReadOnly).failures().empty());
    }

    void an_empty_library_says_so()
    {
        fs::create_directories(root_ / "hollow");
        QCOMPARE(command("empty")({"index", text_of(root_ / "hollow")}).code, 0);
        const Said said = command("empty")({"search", "dog"});
        QCOMPARE(said.code, 3);
        QVERIFY(said.err.contains("empty"));
    }

    void killed_at_any_moment_nothing_is_lost_or_torn()
    {
        const fs::path folder = many_pictures();
        const Command imprint = command("killed");
        int64_t before = 0;
        for (int round = 0; round < 3; ++round) {
            const auto process = imprint.start({"index", text_of(folder)});
            QTRY_VERIFY_WITH_TIMEOUT(files_in(root_ / "killed") > before || process->state() == QProcess::NotRunning, 30'000);
            ::kill(static_cast<pid_t>(process->processId()), SIGKILL);
            process->waitForFinished();
            QVERIFY(index::Library(root_ / "killed", index::OpenMode::ReadOnly).check().empty());
            QVERIFY(files_in(root_ / "killed") >= before);
            before = files_in(root_ / "killed");
        }
        const Said rest = imprint({"index", text_of(folder), "--json"});
        QCOMPARE(rest.code, 0);
        QCOMPARE(rest.json()["unchanged"].toInt(), before);
        QCOMPARE(rest.json()["unchanged"].toInt() + rest.json()["indexed"].toInt(), 300);
        QCOMPARE(files_in(root_ / "killed"), 300);
    }

    void interrupted_it_stops_politely_and_goes_on_later()
    {
        const fs::path folder = many_pictures();
        const Command imprint = command("stopped");
        const auto process = imprint.start({"index", text_of(folder), "--json"});
        QTRY_VERIFY_WITH_TIMEOUT(files_in(root_ / "stopped") > 0, 30'000);
        ::kill(static_cast<pid_t>(process->processId()), SIGINT);
        const Said said = Command::finish(*process);
        QCOMPARE(said.code, 3);
        QVERIFY(said.json()["cancelled"].toBool());
        QCOMPARE(files_in(root_ / "stopped"), said.json()["indexed"].toInt());
        const QJsonObject rest = imprint({"index", text_of(folder), "--json"}).json();
        QCOMPARE(rest["unchanged"].toInt(), said.json()["indexed"].toInt());
        QCOMPARE(rest["unchanged"].toInt() + rest["indexed"].toInt(), 300);
    }

    void a_full_disk_stops_the_run_and_loses_nothing()
    {
        const fs::path folder = many_pictures();
        const auto process = command("full").start({"index", text_of(folder), "--json"});
        QTRY_VERIFY_WITH_TIMEOUT(files_in(root_ / "full") > 0, 30'000);
        QVERIFY(Command::fill_disk_of(*process));
        const Said full = Command::finish(*process);
        QCOMPARE(full.code, 3);
        QVERIFY2(full.err.contains("no room") && full.err.contains("full"), full.err.constData());
        const int64_t kept = files_in(root_ / "full");
        QVERIFY(kept > 0 && kept < 300);
        QVERIFY(index::Library(root_ / "full", index::OpenMode::ReadOnly).check().empty());
        const QJsonObject rest = command("full")({"index", text_of(folder), "--json"}).json();
        QCOMPARE(rest["unchanged"].toInt(), kept);
        QCOMPARE(rest["unchanged"].toInt() + rest["indexed"].toInt(), 300);
    }

    void too_little_memory_ends_in_words_and_leaves_the_library_whole()
    {
        constexpr rlim_t kMiB = 1 << 20;
        const fs::path folder = root_ / "few";
        fs::create_directories(folder);
        for (int i = 0; i < 6; ++i)
            make_picture(folder / (std::to_string(i) + ".png"), i);
        make_sound(folder / "tone.wav", 3);
        const Command imprint = command("short");
        rlim_t least = 256 * kMiB;  // below, the dynamic loader and libtorch's own start find too little
        while (imprint.within(least)({"--version"}, false).code != 0)
            least += 128 * kMiB;
        bool told = false;
        for (const rlim_t more : {64, 128, 256, 512, 1024, 2048}) {
            const Said said = imprint.within(least + more * kMiB)({"index", text_of(folder), "--json"});
            QVERIFY2(said.code == 0 || said.code == 1 || said.code == 3, said.err.constData());
            QVERIFY(said.code != 3 || said.err.startsWith("imprint: "));
            told = told || said.code == 3;
            if (fs::exists(root_ / "short" / "catalog.sqlite"))
                QCOMPARE(imprint({"verify"}).code, 0);
        }
        QVERIFY(told);
        const QJsonObject rest = imprint({"index", text_of(folder), "--json"}).json();
        QCOMPARE(rest["unchanged"].toInt() + rest["indexed"].toInt() + int(rest["failed"].toArray().size()), 7);
    }

    void a_standard_output_that_is_full_is_reported()
    {
        QProcess process;
        process.setStandardOutputFile("/dev/full");
        process.start(IMPRINT_BIN_DIR "/imprint", {"model", "info", text_of(model_), "--json"});
        QCOMPARE(Command::finish(process).code, 3);
    }
};

QTEST_GUILESS_MAIN(TestCliTrouble)
#include "tst_cli_trouble.moc"
