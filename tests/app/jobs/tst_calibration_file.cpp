// SPDX-License-Identifier: Apache-2.0
// What scores mean, beside a checkpoint: written, read, refused, and fitted on a corpus of a few files.
#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/jobs/calibrate_job.h"
#include "app/jobs/calibration_file.h"
#include "app/jobs/pool_library.h"
#include "core/base/error.h"
#include "core/model/checkpoint_info.h"
#include "tests/app/jobs/labelled_folders.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::jobs;
using namespace imprint::tests;
namespace fs = std::filesystem;

class TestCalibrationFile : public QObject {
    Q_OBJECT

private:
    QTemporaryDir dir_;
    fs::path root() const { return dir_.path().toStdString(); }

private Q_SLOTS:
    void init() { fs::create_directories(root() / "media"); }

    void what_was_written_is_read_for_its_space_alone()
    {
        const fs::path checkpoint = root() / "model.safetensors";
        QCOMPARE(read_calibration(checkpoint, "a").of[0].likely, index::kLikelyFrom);
        index::Reliabilities written{{{1.5f, 6.25f, 2.5f, 0.5f, 0.75f}, {1.25f, 51.0f, 3.0f, 0.0f, 0.0f}}};
        written.by_example[0] = {3.5f, 8.25f, 1.5f, 0.25f, 0.5f};
        write_calibration(checkpoint, "a", written, "three questions");
        QCOMPARE(calibration_file(checkpoint).filename().native(), std::string("model.calibration.json"));
        const index::Reliabilities read = read_calibration(checkpoint, "a");
        for (int m = 0; m < 2; ++m) {
            QCOMPARE(read.of[m].maybe, written.of[m].maybe);
            QCOMPARE(read.of[m].likely, written.of[m].likely);
            QCOMPARE(read.of[m].intercept, written.of[m].intercept);
            QCOMPARE(read.of[m].slope, written.of[m].slope);
            QCOMPARE(read.of[m].rank_slope, written.of[m].rank_slope);
        }
        QCOMPARE(read.by_example[0].likely, 8.25f);
        QCOMPARE(read.by_example[0].rank_slope, 0.5f);
        QCOMPARE(read.for_examples().of[0].likely, 8.25f);
        QCOMPARE(read_calibration(checkpoint, "b").of[0].likely, index::kLikelyFrom);
    }

    void one_that_tells_nothing_of_examples_means_the_same_by_them()
    {
        const fs::path checkpoint = root() / "older.safetensors";
        std::ofstream(calibration_file(checkpoint))
            << R"({"space": "a", "picture": {"maybe": 1, "likely": 5, "intercept": 2, "slope": 0.5},)"
               R"( "sound": {"maybe": 1, "likely": 7, "intercept": 3, "slope": 0.25}})";
        const index::Reliabilities read = read_calibration(checkpoint, "a");
        QCOMPARE(read.by_example[0].likely, 5.0f);
        QCOMPARE(read.by_example[1].slope, 0.25f);
    }

    void a_damaged_file_is_refused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addRow("empty") << QByteArray();
        QTest::addRow("cut off") << QByteArray("{\"space\": \"a\", \"picture\": {\"maybe\": 1");
        QTest::addRow("no numbers") << QByteArray("{\"space\": \"a\"}");
        QTest::addRow("a scale upside down") << QByteArray(
            "{\"space\": \"a\", \"picture\": {\"maybe\": 5, \"likely\": 2, \"intercept\": 1, \"slope\": 1}, \"sound\": {}}");
        QTest::addRow("text for a number") << QByteArray(
            "{\"space\": \"a\", \"picture\": {\"maybe\": \"1\", \"likely\": 2, \"intercept\": 1, \"slope\": 1}}");
    }
    void a_damaged_file_is_refused()
    {
        QFETCH(QByteArray, text);
        const fs::path checkpoint = root() / "damaged.safetensors";
        write_file(calibration_file(checkpoint), text.toStdString());
        try {
            read_calibration(checkpoint, "a");
            QFAIL("read a damaged file");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
            QVERIFY(std::string(error.what()).find("damaged.calibration.json") != std::string::npos);
        }
    }

    void the_shipped_network_has_a_calibration_of_its_own()
    {
        const fs::path checkpoint = fs::path(IMPRINT_SOURCE_DIR) / "resources/models/imprint-small.safetensors";
        const std::string space = model::checkpoint_info(checkpoint).at("space").get<std::string>();
        const index::Reliabilities read = read_calibration(checkpoint, space);
        QVERIFY2(read.of[0].likely != index::Reliability().likely, "run: imprint model calibrate on the shipped checkpoint");
        for (const index::Reliability& kind : read.of)
            QVERIFY(kind.maybe > 0 && kind.likely > kind.maybe);
    }

    void no_question_is_both_fitted_on_and_reported()
    {
        evaluation::Pool pool;
        pool.items.resize(12);
        for (size_t i = 0; i < pool.items.size(); ++i)
            pool.items[i].label = "thing " + std::to_string(i / 2);
        for (const char* name : {"drawings", "words", "photos"}) {
            pool.name = name;
            for (size_t i = 0; i < pool.items.size(); ++i)
                pool.items[i].split = pool.name != "photos" ? "" : i % 4 < 2 ? "dev" : "report";
            const evaluation::Queries queries = evaluation::queries_of(pool);
            const std::vector<size_t> fitted = questions_of(pool, queries, Part::Fitted);
            const std::vector<size_t> reported = questions_of(pool, queries, Part::Reported);
            QCOMPARE(fitted.size() + reported.size(), queries.labels.size());
            for (const size_t q : fitted)
                QCOMPARE(std::count(reported.begin(), reported.end(), q), 0);
            QCOMPARE(reported.empty(), pool.name == "words");
        }
    }

    void a_checkpoint_is_calibrated_by_one_call_and_searched_by_what_it_found()
    {
        make_colours(root() / "media", 6);
        make_pitches(root() / "media", 6);
        fs::create_directories(root() / "pools");
        for (const std::string& name : std::vector<std::string>{"photos", "drawings", "words", "sounds", "own_sounds"}) {
            std::ofstream list(root() / "pools" / (name + ".jsonl"));
            const bool sound = name.ends_with("sounds");
            for (const std::string& label :
                 sound ? std::vector<std::string>{"low", "high"} : std::vector<std::string>{"red", "green", "blue"})
                for (int i = 0; i < 6; ++i)
                    list << "{\"path\": \"media/" << label << (sound ? "/sound" : "/picture") << i << (sound ? ".wav" : ".ppm")
                         << "\", \"label\": \"" << label << "\"}\n";
        }
        CalibrateOptions options;
        options.engine.library = root() / "untouched";
        options.engine.checkpoint = make_tiny_checkpoint(root());
        options.engine.decoder.worker = fs::path(IMPRINT_BIN_DIR) / "imprint-decode";
        options.corpus = root();
        const Calibration done = calibrate(options);
        QCOMPARE(done.questions[0], int64_t(3 + 2 + 3));  // of the drawings every second
        QCOMPARE(done.questions[1], int64_t(2 + 2));
        QVERIFY(!fs::exists(options.engine.library));
        Engine engine(options.engine);
        QCOMPARE(engine.encoder().space(), done.space);
        for (int m = 0; m < 2; ++m)
            QVERIFY(std::abs(engine.background().reliability().of[m].maybe - done.reliability.of[m].maybe) < 1e-3f);
    }
};

QTEST_GUILESS_MAIN(TestCalibrationFile)
#include "tst_calibration_file.moc"
