// SPDX-License-Identifier: Apache-2.0
// Learning from folders end to end: what is learned labels a library, few examples are enough, and what cannot be learned from
// says so and leaves nothing behind.
#include <QTemporaryDir>
#include <QTest>

#include "app/jobs/finetune_job.h"
#include "app/jobs/label_job.h"
#include "tests/app/jobs/labelled_folders.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::jobs;
using namespace imprint::tests;
namespace fs = std::filesystem;

class TestFinetuneJob : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    fs::path root_, model_;

    std::unique_ptr<Engine> engine(const std::string& library = "library", const fs::path& model = {}) const
    {
        EngineOptions options;
        options.library = root_ / library;
        options.checkpoint = model.empty() ? model_ : model;
        options.decoder.worker = fs::path(IMPRINT_BIN_DIR) / "imprint-decode";
        return std::make_unique<Engine>(options);
    }
    FinetuneReport probed(const fs::path& folder, const fs::path& out, uint64_t seed = 1) const
    {
        const auto one = engine();
        return finetune(
            *one, {.folder = folder, .from_labels = {}, .mode = FinetuneMode::Probe, .out = out, .blend = {}, .seed = seed});
    }

private Q_SLOTS:
    void initTestCase()
    {
        root_ = fs::canonical(dir_.path().toStdString());
        model_ = make_tiny_checkpoint(root_);
        make_colours(root_ / "colours", 8);
        make_pitches(root_ / "pitches", 6);
    }

    void what_was_learned_labels_a_library_data()
    {
        QTest::addColumn<QString>("folder");
        QTest::addColumn<int>("files");
        QTest::addColumn<int>("held_out");
        QTest::newRow("pictures") << "colours" << 24 << 6;
        QTest::newRow("sounds") << "pitches" << 12 << 4;
    }
    void what_was_learned_labels_a_library()
    {
        QFETCH(QString, folder);
        QFETCH(int, files);
        QFETCH(int, held_out);
        const fs::path out = root_ / (folder.toStdString() + ".safetensors");
        const FinetuneReport report = probed(root_ / folder.toStdString(), out);
        QCOMPARE(report.files, files);
        QCOMPARE(report.all.held_out, held_out);
        QCOMPARE(report.all.probed.share, 1.0);
        QVERIFY(report.all.probed.low > 0.3 && report.all.probed.low < 1);
        QVERIFY(report.checkpoint.empty() && !fs::exists(out));
        // Other examples of the same classes, never seen.
        const fs::path others = root_ / "others" / folder.toStdString();
        make_colours(others, 3, 77);
        make_pitches(others, 3, 77);
        const auto one = engine("library of " + folder.toStdString());
        index_paths(*one, {others});
        const LabelSet set = read_label_set(report.label_set);
        QCOMPARE(set.name, folder.toStdString());
        const LabelRun run = label(*one, set);
        int right = 0, own = 0;
        for (const LabelledMoment& moment : run.moments) {
            const std::string truth = run.files[moment.file].path.parent_path().filename().string();
            QVERIFY(!moment.likeliest.empty());
            if (set.find(truth) < 0)
                continue;
            ++own;
            right += moment.guess.labels == std::vector<int>{set.find(truth)};
        }
        QCOMPARE(own, folder == "colours" ? 9 : 6);
        QCOMPARE(right, own);
    }

    void three_examples_of_each_class_are_enough()
    {
        make_colours(root_ / "three", 3);
        const FinetuneReport report = probed(root_ / "three", root_ / "three.safetensors");
        QCOMPARE(report.files, 9);
        QCOMPARE(report.all.held_out, 3);
        QCOMPARE(report.all.probed.share, 1.0);
    }

    void the_same_examples_and_seed_give_the_same_bytes()
    {
        for (const char* name : {"once.safetensors", "again.safetensors"})
            probed(root_ / "colours", root_ / name, 5);
        QCOMPARE(read_file(root_ / "once.layer.safetensors"), read_file(root_ / "again.layer.safetensors"));
    }

    void another_models_vectors_are_not_judged()
    {
        const FinetuneReport report = probed(root_ / "colours", root_ / "strange.safetensors");
        fs::create_directories(root_ / "other");
        const auto other = engine("other library", make_tiny_checkpoint(root_ / "other", 2));
        index_paths(*other, {root_ / "colours"});
        try {
            label(*other, read_label_set(report.label_set));
            QFAIL("labelled");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Unsupported);
        }
    }

    void classes_too_small_and_files_unreadable_are_counted()
    {
        const fs::path folder = root_ / "mixed";
        make_colours(folder, 4);
        for (const char* name : {"picture1.ppm", "picture2.ppm", "picture3.ppm"})
            fs::remove(folder / "blue" / name);
        write_file(folder / "red" / "broken.jpg", "no picture");
        write_file(folder / "red" / "notes.txt", "nobody means this");
        const FinetuneReport report = probed(folder, root_ / "mixed.safetensors");
        QCOMPARE(report.classes.size(), size_t(2));
        QCOMPARE(report.left_out.size(), size_t(1));
        QCOMPARE(report.left_out[0].first, std::string("blue"));
        QCOMPARE(report.left_out[0].second, 1);
        QCOMPARE(report.failed.size(), size_t(1));
        QVERIFY(report.failed[0].path.filename() == "broken.jpg");
    }

    void what_cannot_be_learned_from_says_so_data()
    {
        QTest::addColumn<QString>("folder");
        QTest::addColumn<ErrorKind>("kind");
        const auto make = [&](const std::string& name) { return root_ / "bad" / name; };
        fs::create_directories(make("empty"));
        fs::create_directories(make("empty classes") / "a");
        fs::create_directories(make("empty classes") / "b");
        make_colours(make("one class"), 4);
        fs::remove_all(make("one class") / "red");
        fs::remove_all(make("one class") / "blue");
        make_colours(make("one picture each"), 1);
        make_colours(make("capitals"), 3);
        fs::create_directories(make("capitals") / "Red");
        make_colours(make("none"), 3);
        fs::rename(make("none") / "red", make("none") / "None");
        for (const char* name : {"a", "b"})
            for (const char* file : {"1.jpg", "2.jpg", "3.jpg"}) {
                fs::create_directories(make("unreadable") / name);
                write_file(make("unreadable") / name / file, "no picture");
            }
        QTest::newRow("no folder") << "nowhere" << ErrorKind::NotFound;
        QTest::newRow("a folder without folders") << "empty" << ErrorKind::Malformed;
        QTest::newRow("folders without files") << "empty classes" << ErrorKind::Malformed;
        QTest::newRow("one class only") << "one class" << ErrorKind::Malformed;
        QTest::newRow("one picture in each class") << "one picture each" << ErrorKind::Malformed;
        QTest::newRow("names that differ in capitals") << "capitals" << ErrorKind::Malformed;
        QTest::newRow("a class called none") << "none" << ErrorKind::Malformed;
        QTest::newRow("nothing readable") << "unreadable" << ErrorKind::Malformed;
    }
    void what_cannot_be_learned_from_says_so()
    {
        QFETCH(QString, folder);
        QFETCH(ErrorKind, kind);
        const fs::path out = root_ / "refused" / "out.safetensors";
        try {
            probed(root_ / "bad" / folder.toStdString(), out);
            QFAIL("learned");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), kind);
            QVERIFY(!error.reason().empty());
        }
        QVERIFY(!fs::exists(out.parent_path()) || fs::is_empty(out.parent_path()));
    }

    void a_file_that_is_no_model_of_ours_is_refused()
    {
        const fs::path other = root_ / "other.safetensors";
        write_file(other, std::string("\x02\0\0\0\0\0\0\0{}", 10));
        const auto one = engine("none", other);
        QVERIFY_THROWS_EXCEPTION(Error, finetune(*one, {.folder = root_ / "colours", .from_labels = {}, .out = {}, .blend = {}}));
    }

    void cancelling_leaves_nothing_behind()
    {
        const fs::path out = root_ / "cancelled" / "out.safetensors";
        const CancelToken cancel;
        const auto one = engine();
        try {
            finetune(
                *one, {.folder = root_ / "colours", .from_labels = {}, .mode = FinetuneMode::Probe, .out = out, .blend = {}},
                [&](const FinetuneProgress& progress) {
                    if (progress.stage == "measuring")
                        cancel.cancel();
                },
                cancel);
            QFAIL("went on");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Cancelled);
        }
        QVERIFY(fs::is_empty(out.parent_path()));
    }
};

QTEST_GUILESS_MAIN(TestFinetuneJob)
#include "tst_finetune_job.moc"
