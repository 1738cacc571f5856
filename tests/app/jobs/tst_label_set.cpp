// SPDX-License-Identifier: Apache-2.0
// Label sets as files: what they may say, and that every mistake is refused at its line.
#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <set>

#include "app/jobs/label_set.h"
#include "core/base/error.h"

using namespace imprint;
using namespace imprint::jobs;

class TestLabelSet : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;

    std::filesystem::path written(const QString& text)
    {
        const std::filesystem::path file = dir_.path().toStdString() + "/my-set.toml";
        std::ofstream(file) << text.toStdString();
        return file;
    }

private Q_SLOTS:
    void a_whole_set_is_read_as_written()
    {
        const LabelSet set = read_label_set(written("name = \"Pets\"\nlooks_at = \"both\"\nseveral = true\n"
                                                    "none = [\"an empty room\", \"rain\"]\n"
                                                    "[[label]]\nname = \"dog\"\nparent = \"animal\"\nsynonyms = \"puppy\"\n"
                                                    "prompts = [\"a dog on a lead\"]\n[[label]]\nname = \"animal\"\n"));
        QCOMPARE(set.name, std::string("Pets"));
        QCOMPARE(set.looks_at, (std::vector<Modality>{Modality::Picture, Modality::Sound}));
        QVERIFY(set.several);
        QCOMPARE(set.none.size(), size_t(2));
        QCOMPARE(set.classes.size(), size_t(2));
        QCOMPARE(set.classes[0].parent, 1);
        QCOMPARE(set.classes[0].synonyms, std::vector<std::string>{"puppy"});
        QCOMPARE(set.classes[0].prompts, std::vector<std::string>{"a dog on a lead"});
        QVERIFY(set.covers(1, 0) && set.covers(0, 0) && !set.covers(0, 1));
        QCOMPARE(set.find("animal"), 1);
        QCOMPARE(set.find("cat"), -1);
    }

    void what_is_left_out_has_a_meaning()
    {
        const LabelSet set = read_label_set(written("[[label]]\nname = \"dog\"\n"));
        QCOMPARE(set.name, std::string("my-set"));
        QCOMPARE(set.looks_at, std::vector<Modality>{Modality::Picture});
        QVERIFY(!set.several && set.none.empty());
    }

    void mistakes_are_refused_at_their_line_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("line");
        QTest::addColumn<QString>("says");
        const QString dog = "[[label]]\nname = \"dog\"\n";
        QTest::newRow("an empty file") << "" << 1 << "no label";
        QTest::newRow("a set without labels") << "name = \"Pets\"\n" << 1 << "no label";
        QTest::newRow("two equal names") << dog + dog << 3 << "in line 1";
        QTest::newRow("equal but for capitals") << dog + "[[label]]\nname = \"Dog\"\n" << 3 << "in line 1";
        QTest::newRow("equal but for blanks") << dog + "[[label]]\nname = \" dog\t\"\n" << 3 << "in line 1";
        QTest::newRow("an unknown parent") << dog + "[[label]]\nname = \"cat\"\nparent = \"mammal\"\n" << 3 << "'mammal'";
        QTest::newRow("its own parent") << "\n[[label]]\nname = \"dog\"\nparent = \"dog\"\n" << 2 << "circle";
        QTest::newRow("parents in a circle")
            << "[[label]]\nname = \"a\"\nparent = \"b\"\n[[label]]\nname = \"b\"\nparent = \"c\"\n"
               "[[label]]\nname = \"c\"\nparent = \"b\"\n"
            << 1 << "circle";
        QTest::newRow("a label without a name") << dog + "[[label]]\nsynonyms = \"puppy\"\n" << 3 << "empty";
        QTest::newRow("a blank synonym") << "[[label]]\nname = \"dog\"\nsynonyms = [\" \"]\n" << 3 << "synonyms";
        QTest::newRow("a label called none") << "[[label]]\nname = \"None\"\n" << 2 << "without a label";
        QTest::newRow("a key of no meaning") << "[[label]]\nname = \"dog\"\ncolour = \"red\"\n" << 3 << "colour";
        QTest::newRow("a name that is a number") << "[[label]]\nname = 7\n" << 2 << "wrong type";
        QTest::newRow("no such sense") << "looks_at = \"smell\"\n" + dog << 1 << "picture, sound or both";
        QTest::newRow("labels as a table") << "[label]\nname = \"dog\"\n" << 1 << "[[label]]";
        QTest::newRow("learned elsewhere") << "learned = \"../pets.safetensors\"\n" + dog << 1 << "beside";
        QTest::newRow("learned, and several at once") << "learned = \"pets.safetensors\"\nseveral = true\n" + dog << 1 << "several";
        QTest::newRow("learned, with words for none") << "learned = \"pets.safetensors\"\nnone = [\"a wall\"]\n" + dog << 1 << "none";
        QTest::newRow("no TOML") << dog + "name = = 3\n" << 3 << "";
    }
    void mistakes_are_refused_at_their_line()
    {
        QFETCH(QString, text);
        QFETCH(int, line);
        QFETCH(QString, says);
        const std::filesystem::path file = written(text);
        try {
            read_label_set(file);
            QFAIL("no error was thrown");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
            QCOMPARE(error.subject(), file.string() + ":" + std::to_string(line));
            QVERIFY2(QString::fromStdString(error.reason()).contains(says), error.what());
        }
    }

    void the_shipped_sets_are_whole()
    {
        std::set<std::string> names;
        for (const std::filesystem::path& file : shipped_label_sets()) {
            const LabelSet set = read_label_set(file);
            QVERIFY2(set.classes.size() >= 20, file.c_str());
            QVERIFY2(!set.none.empty(), file.c_str());
            names.insert(file.stem());
            QCOMPARE(find_label_set(file.stem().string()), file);
        }
        QCOMPARE(names, (std::set<std::string>{"animals", "instruments", "objects", "scenes", "sounds"}));
    }

    void an_unknown_set_is_told_with_those_that_are_there()
    {
        try {
            find_label_set("no-such-set");
            QFAIL("no error was thrown");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::NotFound);
            QVERIFY(error.remedy().find("animals") != std::string::npos);
        }
    }
};

QTEST_APPLESS_MAIN(TestLabelSet)
#include "tst_label_set.moc"
