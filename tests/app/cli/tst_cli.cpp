// SPDX-License-Identifier: Apache-2.0
// The command as scripts see it: exit codes, the shape of its JSON, a clean standard output.
#include <QDir>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <cstring>
#include <set>

#include "tests/app/cli/command.h"
#include "tests/app/jobs/labelled_folders.h"
#include "tests/app/jobs/test_media.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint::tests;
namespace fs = std::filesystem;

class TestCli : public QObject {
    Q_OBJECT

private:
    QTemporaryDir dir_;
    fs::path root_, media_;
    std::unique_ptr<Command> imprint_;
    Said indexed_;

    static QStringList keys(const QJsonObject& object)
    {
        QStringList list = object.keys();
        list.sort();
        return list;
    }

private Q_SLOTS:
    void initTestCase()
    {
        root_ = fs::canonical(dir_.path().toStdString());
        media_ = root_ / "media";
        fs::create_directories(media_);
        for (int i = 0; i < 3; ++i)
            make_picture(media_ / ("picture" + std::to_string(i) + ".png"), i);
        fs::rename(media_ / "picture2.png", media_ / "odd-\xff.png");
        make_video(media_ / "video.mp4", 5);
        make_sound(media_ / "sound.wav", 2);
        imprint_ = std::make_unique<Command>(root_ / "library", make_tiny_checkpoint(root_));
        indexed_ = (*imprint_)({"index", text_of(media_), "--json"});
    }
    void cleanupTestCase() { fs::remove_all(media_); }

    void every_way_out_has_its_exit_code_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("code");
        const QString media = text_of(media_);
        QTest::newRow("version") << QStringList{"--version"} << 0;
        QTest::newRow("help") << QStringList{"--help"} << 0;
        QTest::newRow("help of a command") << QStringList{"search", "--help"} << 0;
        QTest::newRow("no command") << QStringList{} << 2;
        QTest::newRow("unknown command") << QStringList{"frobnicate"} << 2;
        QTest::newRow("unknown option") << QStringList{"index", media, "--frobnicate"} << 2;
        QTest::newRow("index nothing") << QStringList{"index"} << 2;
        QTest::newRow("embed nothing") << QStringList{"embed"} << 2;
        QTest::newRow("learn from nothing") << QStringList{"finetune"} << 2;
        QTest::newRow("learn from two things") << QStringList{"finetune", media, "--from-labels", "animals"} << 2;
        QTest::newRow("learn in no known way") << QStringList{"finetune", media, "--mode", "hard"} << 2;
        QTest::newRow("learn in no steps") << QStringList{"finetune", media, "--steps", "0"} << 2;
        QTest::newRow("blend more than all") << QStringList{"finetune", media, "--blend", "1.5"} << 2;
        QTest::newRow("learn from files without folders") << QStringList{"finetune", media} << 3;
        QTest::newRow("learn verdicts that nobody gave") << QStringList{"finetune", "--from-labels", "animals"} << 3;
        QTest::newRow("no such modality") << QStringList{"search", "dog", "--by", "smell"} << 2;
        QTest::newRow("k of nothing") << QStringList{"search", "dog", "-k", "0"} << 2;
        QTest::newRow("k that is no number") << QStringList{"search", "dog", "-k", "many"} << 2;
    }
    void every_way_out_has_its_exit_code()
    {
        QFETCH(QStringList, arguments);
        QFETCH(int, code);
        const Said said = (*imprint_)(arguments, false);
        QCOMPARE(said.code, code);
        QCOMPARE(said.out.isEmpty(), code != 0);
        QCOMPARE(said.err.isEmpty(), code == 0);
    }

    void labels_go_out_and_verdicts_come_back()
    {
        const fs::path set = root_ / "shapes.toml";
        write_file(set, "[[label]]\nname = \"circle\"\n[[label]]\nname = \"square\"\n");
        const QStringList with{"--set", text_of(set), "--json"};
        const Said labelled = (*imprint_)(QStringList{"label"} + with);
        QVERIFY2(labelled.code == 0, labelled.err.constData());
        const QJsonObject document = labelled.json();
        QCOMPARE(keys(document),
                 QStringList({"abstained", "accuracy", "calibrated", "files", "kept", "labelled", "labels", "moments", "none",
                              "reviewed", "set", "space", "wrong_share"}));
        QCOMPARE(document["set"].toString(), "shapes");
        QCOMPARE(document["files"].toArray().size(), 4);
        const QString picture = text_of(media_ / "picture0.png");
        const Said said = (*imprint_)(QStringList{"review", "--say", picture + "=square"} + with);
        QVERIFY2(said.code == 0, said.err.constData());
        QCOMPARE(said.json()["reviewed"].toInt(), 1);
        const QJsonArray files = (*imprint_)(QStringList{"label", "--in", picture} + with).json()["files"].toArray();
        QCOMPARE(files.size(), 1);
        QCOMPARE(files[0].toObject()["labels"].toArray()[0].toObject()["label"].toString(), "square");
        QVERIFY((*imprint_)({"export", "--label", "square"}).out.contains("picture0.png"));
        QCOMPARE((*imprint_)(QStringList{"review", "--undo", picture} + with).json()["reviewed"].toInt(), 0);
        QCOMPARE((*imprint_)({"label", "--json"}).json()["sets"].toArray().size(), 5);
        const Said missing = (*imprint_)({"label", "--set", "no-such-set"});
        QCOMPARE(missing.code, 3);
        QVERIFY(missing.err.contains("animals"));
        write_file(set, "[[label]]\nname = \"circle\"\n[[label]]\nname = \"circle\"\n");
        const Said twice = (*imprint_)(QStringList{"label"} + with);
        QCOMPARE(twice.code, 3);
        QVERIFY(twice.err.contains("shapes.toml:3"));
    }

    void labelled_folders_become_a_label_set()
    {
        const fs::path folder = root_ / "colours", out = root_ / "learned" / "colours.safetensors";
        make_colours(folder, 5);
        write_file(folder / "red" / "broken.png", "no picture");
        const Said said = (*imprint_)({"finetune", text_of(folder), "--mode", "probe", "--out", text_of(out), "--json"});
        QCOMPARE(said.code, 1);  // one file could not be read
        const QJsonObject document = said.json();
        QCOMPARE(
            keys(document),
            (QStringList{"all", "blend", "blends", "checkpoint", "classes", "examples", "failed", "files", "label_set",
                         "learned_before", "left_out", "mode", "name", "retention", "seconds", "space", "steps", "warnings"}));
        QCOMPARE(document["mode"].toString(), QString("probe"));
        QCOMPARE(document["files"].toInt(), 15);
        QCOMPARE(document["failed"].toArray().size(), 1);
        QCOMPARE(document["classes"].toArray().size(), 3);
        QVERIFY(document["checkpoint"].isNull() && document["retention"].isNull());
        const QString set = document["label_set"].toString();
        QCOMPARE(set, text_of(root_ / "learned" / "colours.toml"));
        const Said labelled = (*imprint_)({"label", "--set", set, "--json"});
        QCOMPARE(labelled.code, 0);
        QCOMPARE(labelled.json()["labels"].toArray().size(), 3);
        const Said table = (*imprint_)({"finetune", text_of(folder), "--mode", "probe", "--out", text_of(out)});
        QVERIFY(table.out.contains("held out") && table.out.contains("Label with it: imprint label --set "));
        // Without a place to write to it becomes the library's, and has a name there.
        QCOMPARE((*imprint_)({"finetune", text_of(folder), "--mode", "probe"}).code, 1);
        QVERIFY((*imprint_)({"label"}).out.contains("\ncolours "));
        QCOMPARE((*imprint_)({"label", "--set", "colours", "--json"}).json()["set"].toString(), QString("colours"));
        fs::remove_all(folder);
    }

    void a_network_learns_and_is_blended_anew_data()
    {
        QTest::addColumn<QString>("mode");
        QTest::newRow("lora") << "lora";
        QTest::newRow("full") << "full";
    }
    void a_network_learns_and_is_blended_anew()
    {
        QFETCH(QString, mode);
        const fs::path folder = root_ / "learned from", out = root_ / ("by-" + mode.toStdString()) / "colours.safetensors";
        make_colours(folder, 3);
        const QStringList words{"finetune", text_of(folder), "--mode", mode, "--steps", "3", "--out", text_of(out)};
        const Said said = (*imprint_)(words + QStringList{"--json"});
        QVERIFY2(said.code == 0, said.err.constData());
        const QJsonObject document = said.json();
        QCOMPARE(document["mode"].toString(), mode);
        QCOMPARE(document["checkpoint"].toString(), text_of(out));
        QVERIFY(fs::exists(out) && !document["learned_before"].toBool());
        QCOMPARE(document["blends"].toArray().size(), 5);
        QVERIFY(document["all"].toObject()["tuned"].isObject());
        const Said blended = (*imprint_)(words + QStringList{"--blend", "0.25", "--json"});
        QVERIFY2(blended.code == 0, blended.err.constData());
        QVERIFY(blended.json()["learned_before"].toBool());
        QCOMPARE(blended.json()["blend"].toDouble(), 0.25);
        QVERIFY(blended.json()["space"] != document["space"]);
        fs::remove_all(folder);
    }

    void queries_that_make_no_sense_are_wrong_usage_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::newRow("no part") << QStringList{"search"};
        QTest::newRow("only exclusions") << QStringList{"search", "--not", "dog"};
        QTest::newRow("a weight below zero") << QStringList{"search", "dog*-1"};
        QTest::newRow("an unknown kind") << QStringList{"search", "dog", "--kind", "smell"};
        QTest::newRow("a date that is none") << QStringList{"search", "dog", "--after", "tomorrow"};
        QTest::newRow("a label set of nobody's") << QStringList{"label", "--set", "animals", "--kind", "smell"};
        QTest::newRow("a verdict without a label") << QStringList{"review", "--set", "animals", "--say", "picture0.png"};
        QTest::newRow("an unknown device") << QStringList{"search", "dog", "--device", "abacus"};
    }
    void queries_that_make_no_sense_are_wrong_usage()
    {
        QFETCH(QStringList, arguments);
        const Said said = (*imprint_)(arguments);
        QCOMPARE(said.code, 2);
        QVERIFY(said.out.isEmpty());
        QVERIFY(said.err.startsWith("imprint: "));
    }

    void index_says_what_it_did()
    {
        QCOMPARE(indexed_.code, 0);
        const QJsonObject said = indexed_.json();
        for (const char* key : {"files", "indexed", "unchanged", "failed", "moments", "seconds"})
            QVERIFY2(said.contains(key), key);
        QCOMPARE(said["files"].toInt(), 5);
        QCOMPARE(said["indexed"].toInt(), 5);
        QVERIFY(said["failed"].toArray().isEmpty());
        const QJsonObject again = (*imprint_)({"index", text_of(media_), "--json"}).json();
        QCOMPARE(again["unchanged"].toInt(), 5);
        QCOMPARE(again["indexed"].toInt(), 0);
    }

    void search_answers_in_the_agreed_shape()
    {
        const Said said = (*imprint_)({"search", "a", "dog", "--all", "--json"});
        QCOMPARE(said.code, 0);
        QCOMPARE(keys(said.json()), (QStringList{"query", "read_as", "results", "space", "took_ms"}));
        QCOMPARE(said.json()["query"].toArray()[0].toObject()["text"].toString(), QString("a dog"));
        const QJsonArray results = said.json()["results"].toArray();
        QCOMPARE(results.size(), 5);
        double last = HUGE_VAL;
        int odd = 0;
        for (const QJsonValue& value : results) {
            const QJsonObject hit = value.toObject();
            for (const char* key : {"path", "kind", "start", "end", "score", "band", "labels"})
                QVERIFY2(hit.contains(key), key);
            QCOMPARE(hit["start"].isNull(), hit["kind"].toString() == "image");
            QVERIFY(hit["score"].toDouble() <= last);
            last = hit["score"].toDouble();
            if (!hit.contains("path_bytes"))
                continue;
            ++odd;
            QVERIFY(hit["path"].toString().contains(QChar(0xfffd)));
            QCOMPARE(QByteArray::fromBase64(hit["path_bytes"].toString().toLatin1()),
                     QByteArray::fromStdString((media_ / "odd-\xff.png").native()));
        }
        QCOMPARE(odd, 1);
    }

    void filters_narrow_the_answer_data()
    {
        QTest::addColumn<QStringList>("filter");
        QTest::addColumn<int>("results");
        QTest::newRow("k") << QStringList{"-k", "2"} << 2;
        QTest::newRow("one kind") << QStringList{"--kind", "image"} << 3;
        QTest::newRow("two kinds") << QStringList{"--kind", "video,audio"} << 2;
        QTest::newRow("by sound") << QStringList{"--by", "sound"} << 2;
        QTest::newRow("elsewhere") << QStringList{"--in", "/nonexistent"} << 0;
        QTest::newRow("a date ahead") << QStringList{"--after", "2999"} << 0;
        QTest::newRow("a date behind") << QStringList{"--before", "2999-01-01", "--after", "1999-05"} << 5;
        QTest::newRow("lasting three seconds") << QStringList{"--longer", "3"} << 1;
        QTest::newRow("lasting no time") << QStringList{"--shorter", "0"} << 3;
        QTest::newRow("a label nobody gave") << QStringList{"--label", "nothing"} << 0;
        QTest::newRow("stars nobody gave") << QStringList{"--stars", "1"} << 0;
        QTest::newRow("one after another") << QStringList{"--then", "a cat", "--within", "100", "--kind", "image"} << 0;
        QTest::newRow("by date") << QStringList{"--sort", "date"} << 5;
        QTest::newRow("judged answers") << QStringList{"--more", "PICTURE", "--less", "PICTURE"} << 5;
        QTest::newRow("an exclusion") << QStringList{"--not", "cat", "--unlike", "PICTURE*0.5"} << 5;
    }
    void filters_narrow_the_answer()
    {
        QFETCH(QStringList, filter);
        filter.replaceInStrings("PICTURE", text_of(media_ / "picture0.png"));
        const Said said = (*imprint_)(QStringList{"search", "a dog", "--all", "--json"} + filter);
        QCOMPARE(said.code, 0);
        QTEST(int(said.json()["results"].toArray().size()), "results");
    }

    void a_phrase_needs_no_quotes_wherever_it_stands()
    {
        const auto texts = [](const QJsonValue& parts) {
            QStringList texts;
            for (const QJsonValue& part : parts.toArray())
                texts << part["text"].toString();
            return texts;
        };
        const QJsonObject said = (*imprint_)({"search", "a", "tower", "--not", "a", "church", "--not", "red brick", "people",
                                              "--then", "a", "dog", "--within", "20", "--all", "--json"})
                                     .json();
        QCOMPARE(texts(said["query"]), QStringList({"a tower", "a church", "red brick", "people"}));
        QCOMPARE(texts(said["then"]), QStringList({"a dog"}));
    }

    void an_example_from_outside_needs_no_library_entry()
    {
        make_picture(root_ / "outside.png", 7);
        const Said said = (*imprint_)({"search", "--like", text_of(root_ / "outside.png") + "*2", "--all", "--json"});
        QCOMPARE(said.code, 0);
        QCOMPARE(said.json()["query"].toArray()[0].toObject()["weight"].toDouble(), 2.0);
        QCOMPARE((*imprint_)({"search", "--like", "/nonexistent.png"}).code, 3);
    }

    void labels_and_stars_are_given_found_and_taken()
    {
        const QString picture = text_of(media_ / "picture0.png");
        const Said tagged = (*imprint_)({"tag", picture, "--label", "Grandma", "--label", "big party", "--stars", "4", "--json"});
        QCOMPARE(tagged.code, 0);
        const QJsonObject file = tagged.json()["files"].toArray()[0].toObject();
        QCOMPARE(file["stars"].toInt(), 4);
        QCOMPARE(file["labels"].toArray(), (QJsonArray{"Grandma", "big party"}));
        const auto found = [&](const QStringList& filter) {
            return (*imprint_)(QStringList{"search", "a dog", "--all", "--json"} + filter).json()["results"].toArray();
        };
        QCOMPARE(found({"--label", "Grandma", "--label", "big party"}).size(), 1);
        QCOMPARE(found({"--stars", "4"}).size(), 1);
        QCOMPARE(found({"--stars", "5"}).size(), 0);
        QCOMPARE(found({"--label", "Grandma"})[0].toObject()["labels"].toArray().size(), 2);
        // Without --all: the words alone find it.
        const QJsonArray named = (*imprint_)({"search", "Grandma", "party", "--json"}).json()["results"].toArray();
        QVERIFY(!named.isEmpty());
        QCOMPARE(named[0].toObject()["path"].toString(), picture);
        QCOMPARE((*imprint_)({"tag", picture, "--unlabel", "Grandma", "--unlabel", "big party", "--stars", "0"}).code, 0);
        QCOMPARE(found({"--stars", "1"}).size(), 0);
        QCOMPARE((*imprint_)({"tag", "/nonexistent.png", "--label", "x"}).code, 3);
        QCOMPARE((*imprint_)({"tag", picture, "--stars", "6"}).code, 2);
    }

    void a_search_is_kept_as_a_concept()
    {
        QCOMPARE((*imprint_)({"search", "a dog", "--not", "cat", "--all", "--save", "pets"}).code, 0);
        QCOMPARE((*imprint_)({"concept", "list"}).out, QByteArray("pets\n"));
        const Said said = (*imprint_)({"search", "--concept", "pets*2", "--all", "--json"});
        QCOMPARE(said.code, 0);
        QCOMPARE(said.json()["query"].toArray()[0].toObject()["concept"].toString(), QString("pets"));
        QCOMPARE(said.json()["results"].toArray().size(), 5);
        QCOMPARE((*imprint_)({"concept", "drop", "pets"}).code, 0);
        QCOMPARE((*imprint_)({"concept", "drop", "pets"}).code, 3);
        QCOMPARE((*imprint_)({"search", "--concept", "pets"}).code, 3);
    }

    void an_export_is_chosen_by_name_or_by_ending_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("begins");
        QTest::newRow("csv by default") << QStringList{"a dog", "--all"} << QByteArray("path,kind,");
        QTest::newRow("by name") << QStringList{"a dog", "--all", "--format", "jsonl"} << QByteArray("{\"path\":");
        QTest::newRow("by ending") << QStringList{"a dog", "--all", "--out", "FILE.edl"} << QByteArray("TITLE: Imprint");
        QTest::newRow("final cut") << QStringList{"a dog", "--all", "--out", "FILE.fcpxml"} << QByteArray("<?xml");
        QTest::newRow("vectors") << QStringList{"a dog", "--all", "--out", "FILE.npy"} << QByteArray("\x93NUMPY");
        QTest::newRow("labels, of which there are none") << QStringList{} << QByteArray("path,kind,");
    }
    void an_export_is_chosen_by_name_or_by_ending()
    {
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, begins);
        const QString file = text_of(root_ / "export");
        const bool to_file = arguments.contains("--out");
        arguments.replaceInStrings("FILE", file);
        const Said said = (*imprint_)(QStringList{"export"} + arguments);
        QVERIFY2(said.code == 0, said.err);
        const QByteArray bytes = to_file ? QByteArray::fromStdString(read_file(arguments.last().toStdString())) : said.out;
        QVERIFY2(bytes.startsWith(begins), bytes.left(80));
        QCOMPARE(said.out.isEmpty(), to_file);
        QCOMPARE((*imprint_)({"export", "a dog", "--out", file + ".xyz"}).code, 2);
        QCOMPARE((*imprint_)({"export", "a dog", "--all", "--out", "/nonexistent/a.csv"}).code, 3);
    }

    void spans_are_cut_out_as_files_of_their_own()
    {
        const QString folder = text_of(root_ / "clips");
        const QStringList ask{"export", "a dog", "--all", "--kind", "video,audio", "--clips", folder};
        const Said said = (*imprint_)(ask + QStringList{"--json"});
        QVERIFY2(said.code == 0, said.err);
        const QJsonArray clips = said.json()["clips"].toArray();
        QVERIFY(clips.size() >= 2);
        QVERIFY(said.json()["failed"].toArray().isEmpty());
        QStringList again{"embed", "--json"};
        for (const auto& clip : clips)
            again << clip.toObject()["clip"].toString();
        QCOMPARE((*imprint_)(again).code, 0);  // each can be decoded
        QCOMPARE(QDir(folder).entryList(QDir::Files).size(), clips.size());
        QCOMPARE((*imprint_)({"export", "a dog", "--all", "--kind", "image", "--clips", folder}).code, 2);
        QCOMPARE((*imprint_)(ask + QStringList{"--out", folder + "/a.csv"}).code, 2);
        fs::rename(media_ / "video.mp4", root_ / "away.mp4");
        const Said partly = (*imprint_)(ask);
        fs::rename(root_ / "away.mp4", media_ / "video.mp4");
        QCOMPARE(partly.code, 1);
        QVERIFY2(partly.err.contains("video.mp4"), partly.err);
    }

    void embed_gives_unit_vectors_and_a_numpy_file()
    {
        const fs::path npy = root_ / "vectors.npy";
        const Said said = (*imprint_)({"embed", "--text", "a dog", "--text", "two words", text_of(media_ / "picture0.png"),
                                       "--json", "--npy", text_of(npy)});
        QCOMPARE(said.code, 0);
        const QJsonObject document = said.json();
        QCOMPARE(keys(document), (QStringList{"dim", "items", "space"}));
        const QJsonArray items = document["items"].toArray();
        QCOMPARE(items.size(), 3);
        for (const QJsonValue& value : items) {
            const QJsonArray vector = value.toObject()["vector"].toArray();
            QCOMPARE(vector.size(), document["dim"].toInt());
            double squares = 0;
            for (const QJsonValue& number : vector)
                squares += number.toDouble() * number.toDouble();
            QVERIFY(std::abs(squares - 1) < 1e-3);
        }
        const std::string bytes = read_file(npy);
        QCOMPARE(bytes.substr(1, 5), std::string("NUMPY"));
        const size_t header = 10 + static_cast<unsigned char>(bytes[8]) + 256 * static_cast<unsigned char>(bytes[9]);
        QCOMPARE(header % 64, size_t(0));
        QCOMPARE(bytes.size() - header, size_t(3 * document["dim"].toInt()) * sizeof(float));
        float first = 0;
        std::memcpy(&first, bytes.data() + header, sizeof first);
        QVERIFY(std::abs(first - items[0].toObject()["vector"].toArray()[0].toDouble()) < 1e-6);
    }

    void a_file_that_cannot_be_embedded_costs_only_itself()
    {
        const Said said = (*imprint_)({"embed", "--text", "a dog", "/nonexistent.png", "--json"});
        QCOMPARE(said.code, 1);
        QCOMPARE(said.json()["items"].toArray().size(), 1);
        QVERIFY(said.err.contains("/nonexistent.png"));
    }

    void model_info_needs_no_library()
    {
        const Said said = (*imprint_)({"model", "info", text_of(root_ / "tiny.safetensors"), "--json"}, false);
        QCOMPARE(said.code, 0);
        QVERIFY(said.json()["encoder_parameters"].toInt() > 0);
        QVERIFY(said.json()["active_parameters"].toInt() > 0);
        QCOMPARE((*imprint_)({"model", "info", "/nonexistent", "--json"}, false).code, 3);
    }

    void model_info_knows_the_papers_networks_by_name_data()
    {
        QTest::addColumn<qint64>("encoder");
        QTest::newRow("imp-s") << qint64{21'243'648};
        QTest::newRow("imp-b") << qint64{84'954'624};
        QTest::newRow("imp-l") << qint64{302'041'088};
        QTest::newRow("imp-moe-s") << qint64{42'488'064};
        QTest::newRow("imp-moe-b") << qint64{509'703'168};
        QTest::newRow("imp-moe-l") << qint64{1'057'117'184};
    }
    void model_info_knows_the_papers_networks_by_name()
    {
        QFETCH(qint64, encoder);
        const Said said = (*imprint_)({"model", "info", "--config", QTest::currentDataTag(), "--json"}, false);
        QCOMPARE(said.code, 0);
        QCOMPARE(said.json()["encoder_parameters"].toInteger(), encoder);
        QVERIFY(said.json()["flops"].toObject()["picture"].toDouble() > 1e9);
        QVERIFY(said.json()["memory"].toObject()["weights_fp32"].toInteger() > 4 * encoder);
    }
    void model_info_wants_a_file_or_a_known_name()
    {
        QCOMPARE((*imprint_)({"model", "info", "--config", "imp-tiny"}, false).code, 2);
        QCOMPARE((*imprint_)({"model", "info"}, false).code, 2);
    }

    void a_dense_checkpoint_is_upcycled_and_a_sparse_one_refused()
    {
        const auto dense = make_tiny_checkpoint(root_, 1, "identity", false), out = root_ / "upcycled.safetensors";
        const Said said =
            (*imprint_)({"model", "upcycle", text_of(dense), text_of(out), "--experts", "5", "--layers", "1", "--json"}, false);
        QCOMPARE(said.code, 0);
        QCOMPARE(said.json()["checkpoint"].toString(), text_of(out));
        const auto config = (*imprint_)({"model", "info", text_of(out), "--json"}, false).json()["config"].toObject();
        QCOMPARE(config["experts"].toInt(), 5);
        QCOMPARE(config["sparse_layers"].toInt(), 1);
        const Said again = (*imprint_)({"model", "upcycle", text_of(out), text_of(root_ / "again.safetensors")}, false);
        QCOMPARE(again.code, 2);
        QVERIFY(again.err.contains("already"));
        QCOMPARE((*imprint_)({"model", "merge", text_of(dense), text_of(root_ / "merged.safetensors")}, false).code, 2);
    }

    void the_doctor_tries_everything()
    {
        const Said said = imprint_->bare()({"doctor", "--json"});
        std::set<QString> seen;
        for (const QJsonValue& check : said.json()["checks"].toArray()) {
            seen.insert(check.toObject()["check"].toString());
            QVERIFY2(check.toObject()["state"] != "fail", qPrintable(check.toObject()["detail"].toString()));
        }
        for (const char* check : {"program", "processor", "threads", "decoder", "model", "library", "disk"})
            QVERIFY2(seen.contains(check), check);
        QVERIFY(said.code == 0);
        QVERIFY(said.json()["checks"].toArray()[2].toObject()["detail"].toString().contains("OMP_WAIT_POLICY=passive"));
        QCOMPARE((*imprint_)({"doctor", "--library", text_of(root_ / "library"), "--model", "/nonexistent"}, false).code, 1);
    }

    void people_get_a_table()
    {
        const Said said = (*imprint_)({"search", "a dog", "--all"});
        QCOMPARE(said.code, 0);
        QVERIFY(said.out.contains("video.mp4"));
        QVERIFY(said.out.contains("0:00-0:0"));
        QVERIFY(said.err.isEmpty());
    }

    void a_slip_is_read_as_the_word_it_is_nearest_to()
    {
        const Said read = (*imprint_)({"search", "an", "elefant", "--all", "--json"}, true);
        QCOMPARE(read.json()["read_as"].toArray(), (QJsonArray{QJsonObject{{"typed", "elefant"}, {"read", "elephant"}}}));
        QVERIFY(read.err.contains("\"elephant\"") && read.err.contains("--literal"));
        const Said meant = (*imprint_)({"search", "an", "elephant", "--all", "--json"});
        QCOMPARE(read.json()["results"], meant.json()["results"]);
        const Said typed = (*imprint_)({"search", "an", "elefant", "--all", "--literal", "--json"});
        QVERIFY(typed.json()["read_as"].toArray().isEmpty() && typed.err.isEmpty());
        QVERIFY(typed.json()["results"] != meant.json()["results"]);
    }

    void nothing_found_is_an_answer()
    {
        const Said said = (*imprint_)({"search", "a dog", "--in", "/nonexistent"});
        QCOMPARE(said.code, 0);
        QVERIFY(said.out.isEmpty());
        QVERIFY(said.err.contains("--all"));
    }
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
