// SPDX-License-Identifier: Apache-2.0
// The suites that ask otherwise: what stands for an answer, what chance gives, what happens to media that are broken.
#include <QtTest>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "tests/support/tiny_checkpoint.h"
#include "training/evaluation/cross_pools.h"

using namespace imprint;
using nlohmann::json;

class TestCrossPools : public QObject {
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::unique_ptr<Encoder> encoder_;
    std::unique_ptr<media::Decoder> decoder_;

    std::filesystem::path corpus() const { return folder_.path().toStdString(); }
    static std::string sample(const char* name) { return std::string(IMPRINT_SOURCE_DIR "/resources/samples/") + name; }
    void write(const char* file, const std::vector<json>& rows) const
    {
        std::ofstream out(corpus() / "pools" / file);
        for (const json& row : rows)
            out << row.dump() << "\n";
    }
    json ask(const char* name) const
    {
        evaluation::CrossPoolOptions options;
        options.bootstrap = 200;
        return evaluation::evaluate_cross_pool(corpus(), name, *encoder_, *decoder_, options);
    }
    static double figure(const json& pool, const char* system, const char* name)
    {
        return pool["groups"][0]["systems"][system][name].get<double>();
    }
    std::string film(const char* name, std::initializer_list<const char*> frames) const
    {
        std::filesystem::create_directories(corpus() / name);
        int number = 0;
        for (const char* frame : frames)
            std::filesystem::copy_file(sample(frame), corpus() / name / (std::to_string(number++) + ".jpg"),
                                       std::filesystem::copy_options::overwrite_existing);
        return name;
    }

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("IMPRINT_DECODE", IMPRINT_BIN_DIR "/imprint-decode");
        encoder_ = std::make_unique<Encoder>(tests::make_tiny_checkpoint(corpus()), EncoderOptions{"cpu", "fp32", 1});
        decoder_ = std::make_unique<media::Decoder>();
        std::filesystem::create_directories(corpus() / "pools");
    }

    void a_note_is_held_against_every_instrument()
    {
        std::ofstream(corpus() / "pools" / "instruments.tsv") << "0\tpiano\t5\n1\ttabla\t6\n2\tbell\t7\n3\tguitar\t8\n";
        write("notes.jsonl",
              {{{"path", sample("piano.ogg")}, {"label", "piano"}, {"program", 0}},
               {{"path", sample("bell.opus")}, {"label", "bell"}, {"program", 2}}});
        const json pool = ask("notes");
        QCOMPARE(pool["items"].get<int>(), 4);
        QCOMPARE(pool["groups"][0]["queries"].get<int>(), 2);
        QCOMPARE(figure(pool, "chance", "r1"), 0.25);
        QCOMPARE(figure(pool, "model", "r5"), 1.0);
    }

    void a_film_is_held_against_its_own_texts_alone()
    {
        const std::vector<std::string> texts = {"a dog moving to the left", "a dog moving to the right", "a dog standing still"};
        std::ofstream out(corpus() / "texts.txt");
        for (const auto& text : texts)
            out << text << "\n";
        out.close();
        const std::vector<int> asked = {0, 1, 2};
        const auto moving = film("moving", {"cat.jpg", "coffee.jpg"}), still = film("still", {"sunset.jpg", "sunset.jpg"});
        write("motion.jsonl",
              {{{"path", moving}, {"frames", 2}, {"label", texts[0]}, {"asked", asked}},
               {{"path", still}, {"frames", 2}, {"label", texts[2]}, {"asked", asked}}});
        const json pool = ask("motion");
        QCOMPARE(pool["groups"][0]["queries"].get<int>(), 2);
        QVERIFY(std::abs(figure(pool, "chance", "r1") - 1.0 / 3) < 1e-12);
    }

    void a_picture_is_answered_by_every_sound_of_its_thing()
    {
        const std::vector<std::string> guitar = {"guitar"}, bell = {"bell"}, both = {"bell", "drum"};
        write("image_sound.jsonl",
              {{{"path", sample("drawing-guitar.png")}, {"kind", "image"}, {"words", guitar}},
               {{"path", sample("cat.jpg")}, {"kind", "image"}, {"words", bell}},
               {{"path", sample("guitar-chord.ogg")}, {"kind", "sound"}, {"words", guitar}},
               {{"path", sample("bell.opus")}, {"kind", "sound"}, {"words", bell}},
               {{"path", sample("drum-roll.mp3")}, {"kind", "sound"}, {"words", both}},
               {{"path", sample("tabla.mp3")}, {"kind", "sound"}, {"words", {"tabla"}}}});
        const json pool = ask("image_sound");
        QCOMPARE(pool["items"].get<int>(), 4);
        // One of four sounds is right for the guitar, two of four for the bell.
        QCOMPARE(figure(pool, "chance", "r1"), (0.25 + 0.5) / 2);
    }

    void a_label_is_answered_by_the_windows_of_its_span()
    {
        write("panzoom.jsonl",
              {{{"path", sample("three-animals.mp4")},
                {"spans", {{{"from", 0}, {"to", 3}, {"label", "cat"}}, {{"from", 3}, {"to", 6}, {"label", "raccoon"}}}}}});
        const json pool = ask("panzoom");
        QCOMPARE(pool["items"].get<int>(), 4);  // windows of a second and a half
        QCOMPARE(pool["groups"][0]["queries"].get<int>(), 2);
        QCOMPARE(figure(pool, "chance", "r1"), 0.5);
    }

    void what_cannot_be_decoded_is_listed_and_the_rest_is_asked()
    {
        std::ofstream(corpus() / "empty.wav").flush();
        write("notes.jsonl",
              {{{"path", "empty.wav"}, {"label", "bell"}, {"program", 2}},
               {{"path", sample("piano.ogg")}, {"label", "piano"}, {"program", 0}}});
        const json pool = ask("notes");
        QCOMPARE(pool["failed"].size(), size_t{1});
        QCOMPARE(pool["failed"][0]["file"].get<std::string>(), std::string("empty.wav"));
        QCOMPARE(pool["groups"][0]["queries"].get<int>(), 1);
    }

    void a_list_that_is_damaged_is_refused_by_line_data()
    {
        QTest::addColumn<QString>("line");
        QTest::newRow("no JSON") << "{";
        QTest::newRow("no path") << R"({"label": "bell", "program": 2})";
        QTest::newRow("an instrument of no list") << R"({"path": "x.wav", "label": "spoons", "program": 9})";
    }
    void a_list_that_is_damaged_is_refused_by_line()
    {
        QFETCH(QString, line);
        std::ofstream(corpus() / "pools" / "notes.jsonl") << "\n" << line.toStdString() << "\n";
        try {
            ask("notes");
            QFAIL("was taken");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::Malformed);
            QVERIFY2(std::string(error.what()).find("notes.jsonl:2") != std::string::npos, error.what());
        }
    }

    void a_suite_without_a_list_says_how_to_get_one()
    {
        std::filesystem::remove(corpus() / "pools" / "motion.jsonl");
        try {
            ask("motion");
            QFAIL("was there");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::NotFound);
            QVERIFY2(std::string(error.what()).find("training/corpus") != std::string::npos, error.what());
        }
    }
};

QTEST_GUILESS_MAIN(TestCrossPools)
#include "tst_cross_pools.moc"
