// SPDX-License-Identifier: Apache-2.0
// Learning from folders end to end: what is learned labels a library, few examples are enough, and what cannot be learned from
// says so and leaves nothing behind.
#include <signal.h>
#include <sys/resource.h>

#include <QTemporaryDir>
#include <QTest>

#include "app/jobs/finetune_job.h"
#include "app/jobs/finetune_tuning.h"
#include "app/jobs/label_job.h"
#include "tests/app/jobs/labelled_folders.h"
#include "tests/support/tiny_checkpoint.h"
#include "tests/support/tiny_pack.h"

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

    FinetuneOptions tuning(const fs::path& folder, const fs::path& out, FinetuneMode mode) const
    {
        return {.folder = folder,
                .from_labels = {},
                .mode = mode,
                .out = out,
                .blend = {},
                .steps = 48,
                .pack = root_ / "pack.safetensors"};
    }

private Q_SLOTS:
    void initTestCase()
    {
        root_ = fs::canonical(dir_.path().toStdString());
        model_ = make_tiny_checkpoint(root_);
        make_tiny_pack(root_ / "pack.safetensors", model_);
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

    void a_trained_network_is_a_model_with_its_label_set_data()
    {
        QTest::addColumn<FinetuneMode>("mode");
        QTest::addColumn<QString>("folder");
        QTest::newRow("lora, pictures") << FinetuneMode::Lora << "colours";
        QTest::newRow("full, pictures") << FinetuneMode::Full << "colours";
        QTest::newRow("lora, sounds") << FinetuneMode::Lora << "pitches";
    }
    void a_trained_network_is_a_model_with_its_label_set()
    {
        QFETCH(FinetuneMode, mode);
        QFETCH(QString, folder);
        const fs::path out = root_ / "tuned" / (folder.toStdString() + finetune_mode_name(mode) + ".safetensors");
        FinetuneReport report;
        std::set<std::string> stages;
        int64_t steps = 0;
        {
            const auto one = engine();
            report = finetune(*one, tuning(root_ / folder.toStdString(), out, mode), [&](const FinetuneProgress& progress) {
                stages.insert(progress.stage);
                steps += progress.loss.has_value();
            });
        }
        QVERIFY((stages == std::set<std::string>{"done", "learning", "measuring", "reading", "writing"}));
        QVERIFY(steps >= report.steps);
        QCOMPARE(report.checkpoint, out);
        QVERIFY(report.all.tuned && report.all.probed.share == 1.0);
        QVERIFY(report.retention && report.retention->queries == 12);
        QVERIFY(report.blends.size() == 5 && report.blends.front().blend == 1 && report.blends.back().retention.loss() == 0);
        QVERIFY(report.retention->loss() <= kMostLoss);
        QVERIFY(report.retention->low <= report.retention->loss() && report.retention->loss() <= report.retention->high);

        const auto one = engine("library of " + out.stem().string(), out);
        QCOMPARE(QString::fromStdString(report.space), QString::fromStdString(one->encoder().space()));
        index_paths(*one, {root_ / folder.toStdString()});
        const LabelSet set = read_label_set(report.label_set);
        const LabelRun run = label(*one, set);
        int right = 0;
        for (const LabelledMoment& moment : run.moments)
            right += moment.likeliest.front().first == set.find(run.files[moment.file].path.parent_path().filename().string());
        QVERIFY2(right >= static_cast<int>(run.moments.size()) * 9 / 10, qPrintable(QString::number(right)));
    }

    void a_given_blend_is_taken_and_said_when_it_forgets()
    {
        const auto one = engine();
        FinetuneOptions options = tuning(root_ / "colours", root_ / "blend.safetensors", FinetuneMode::Full);
        options.blend = 1;
        const FinetuneReport report = finetune(*one, options);
        QCOMPARE(report.blend, 1.0);
        QCOMPARE(report.blends.size(), size_t(1));
        bool said = false;
        for (const std::string& warning : report.warnings)
            said = said || (warning.starts_with("General search got worse") && warning.find("model use") != std::string::npos);
        QCOMPARE(said, report.retention->loss() > kMostLoss);
    }

    void another_blend_needs_no_learning_data()
    {
        QTest::addColumn<FinetuneMode>("mode");
        QTest::newRow("lora") << FinetuneMode::Lora;
        QTest::newRow("full") << FinetuneMode::Full;
    }
    void another_blend_needs_no_learning()
    {
        QFETCH(FinetuneMode, mode);
        const fs::path folder = root_ / "blended" / finetune_mode_name(mode);
        const auto one = engine();
        int64_t steps = 0;
        const auto count = [&](const FinetuneProgress& progress) { steps += progress.loss.has_value(); };
        FinetuneOptions options = tuning(root_ / "colours", folder / "out.safetensors", mode);
        options.steps = 8;
        options.blend = 1;
        const FinetuneReport first = finetune(*one, options, count);
        QVERIFY(!first.learned_before && steps > 0);
        steps = 0;
        options.blend = 0.4;
        const FinetuneReport second = finetune(*one, options, count);
        QVERIFY(second.learned_before);
        QCOMPARE(steps, 0);
        QCOMPARE(second.steps, first.steps);
        // The same bytes as if it had been learned with this blend.
        options.out = folder / "elsewhere.safetensors";
        QVERIFY(!finetune(*one, options).learned_before);
        QVERIFY(read_file(folder / "out.safetensors") == read_file(folder / "elsewhere.safetensors"));
        QVERIFY(read_file(folder / "out.layer.safetensors") == read_file(folder / "elsewhere.layer.safetensors"));
    }

    void what_differs_or_is_damaged_is_learned_again_data()
    {
        QTest::addColumn<QString>("what");
        for (const char* what : {"the seed", "a file more", "the weights are cut off", "a weight that is no number"})
            QTest::newRow(what) << what;
    }
    void what_differs_or_is_damaged_is_learned_again()
    {
        QFETCH(QString, what);
        const auto one = engine();
        const fs::path media = root_ / "again" / "media", out = root_ / "again" / "out.safetensors";
        fs::remove_all(root_ / "again");
        make_colours(media, 4);
        FinetuneOptions options = tuning(media, out, FinetuneMode::Lora);
        options.steps = 2;
        options.blend = 0.5;
        finetune(*one, options);
        const fs::path weights = root_ / "again" / "out.weights.safetensors";
        if (what == "the seed")
            options.seed = 2;
        else if (what == "a file more")
            write_grain(media / "red" / "picture9.ppm", 200, 60, 60, 9);
        else if (what == "the weights are cut off")
            fs::resize_file(weights, fs::file_size(weights) - 1);
        else {
            std::string bytes = read_file(weights);
            write_file(weights, bytes.replace(bytes.size() - 4, 4, std::string("\x00\x00\xc0\x7f", 4)));
        }
        QVERIFY(!finetune(*one, options).learned_before);
        QVERIFY(finetune(*one, options).learned_before);
    }

    void the_greatest_blend_that_costs_little_is_chosen_data()
    {
        QTest::addColumn<QVector<double>>("losses");  // of blends 1, 0.5 and 0
        QTest::addColumn<QVector<double>>("right");
        QTest::addColumn<double>("chosen");
        QTest::newRow("nothing is lost") << QVector<double>{0, 0, 0} << QVector<double>{0.9, 0.9, 0.9} << 1.0;
        QTest::newRow("search even gains") << QVector<double>{-3, -1, 0} << QVector<double>{0.9, 0.8, 0.8} << 1.0;
        QTest::newRow("all of it costs too much") << QVector<double>{2.1, 1.9, 0} << QVector<double>{0.9, 0.9, 0.8} << 0.5;
        QTest::newRow("any of it costs too much") << QVector<double>{9, 3, 0} << QVector<double>{0.9, 0.9, 0.8} << 0.0;
        QTest::newRow("all of it gets fewer right") << QVector<double>{0, 0, 0} << QVector<double>{0.7, 0.85, 0.8} << 0.5;
        QTest::newRow("just within bounds") << QVector<double>{2, 1, 0} << QVector<double>{0.8, 0.8, 0.8} << 1.0;
    }
    void the_greatest_blend_that_costs_little_is_chosen()
    {
        QFETCH(QVector<double>, losses);
        QFETCH(QVector<double>, right);
        QFETCH(double, chosen);
        std::vector<BlendRow> rows;
        for (int i = 0; i < 3; ++i)
            rows.push_back({1 - 0.5 * i, right[i], {60, 60 - losses[i], losses[i] - 1, losses[i] + 1, 100}});
        QCOMPARE(chosen_blend(rows).blend, chosen);
    }

    void what_was_reviewed_is_learned_from()
    {
        const auto one = engine("reviewed");
        index_paths(*one, {root_ / "colours"});
        write_file(root_ / "reviewed.toml",
                   "[[label]]\nname = \"warm\"\n[[label]]\nname = \"cold\"\n[[label]]\nname = \"grey\"\n");
        {
            index::LabelStore store(one->library_folder(), index::OpenMode::ReadWrite);
            for (const index::FileRow& row : store.matching({})) {
                const auto colour = row.facts.path.parent_path().filename();
                const std::string label = colour == "red" ? "warm" : colour == "blue" ? "cold" : "";
                store.put_review({row.id, store.stored(row.id).moments.front(), "reviewed", label, false});
            }
        }
        const FinetuneReport report = finetune(*one,
                                               {.folder = {},
                                                .from_labels = (root_ / "reviewed.toml").string(),
                                                .mode = FinetuneMode::Probe,
                                                .out = root_ / "from-labels.safetensors",
                                                .blend = {}});
        QCOMPARE(report.classes.size(), size_t(2));  // nobody said grey
        QCOMPARE(report.left_out.size(), size_t(1));
        QCOMPARE(report.files, 24);
        const LabelSet set = read_label_set(report.label_set);
        const LabelRun run = label(*one, set);
        for (const LabelledMoment& moment : run.moments) {
            const auto colour = run.files[moment.file].path.parent_path().filename();
            const int wanted = colour == "red" ? set.find("warm") : colour == "blue" ? set.find("cold") : LabelledMoment::kNone;
            QCOMPARE(moment.likeliest.front().first, wanted);
        }
    }

    /// Writes fail as on a full disk from the moment on that the result is to be written.
    void a_full_disk_leaves_what_was_there()
    {
        const fs::path out = root_ / "full" / "out.safetensors";
        fs::create_directories(out.parent_path());
        write_file(out, "an older model");
        write_file(out.parent_path() / "out.toml", "an older set");
        rlimit before{};
        QCOMPARE(::getrlimit(RLIMIT_FSIZE, &before), 0);
        const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
        const auto one = engine();
        bool failed = false;
        try {
            finetune(*one, tuning(root_ / "colours", out, FinetuneMode::Lora), [&](const FinetuneProgress& progress) {
                const rlimit little{4096, before.rlim_max};
                if (progress.stage == "writing")
                    ::setrlimit(RLIMIT_FSIZE, &little);
            });
        } catch (const Error& error) {
            failed = true;
            QCOMPARE(error.kind(), ErrorKind::DiskFull);
        }
        ::setrlimit(RLIMIT_FSIZE, &before);
        ::signal(SIGXFSZ, ignored);
        QVERIFY(failed);
        QCOMPARE(read_file(out), std::string("an older model"));
        QCOMPARE(read_file(out.parent_path() / "out.toml"), std::string("an older set"));
        QCOMPARE(std::distance(fs::directory_iterator(out.parent_path()), fs::directory_iterator()), 2);
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

    void a_layer_that_does_not_belong_to_the_set_is_refused_data()
    {
        QTest::addColumn<QByteArray>("from");
        QTest::addColumn<QByteArray>("to");
        QTest::newRow("of other labels") << QByteArray("green") << QByteArray("greet");
        QTest::newRow("without its space") << QByteArray("imprint.labels.space") << QByteArray("imprint.labels.spice");
        QTest::newRow("without weights") << QByteArray("picture.weights") << QByteArray("picture.heights");
        QTest::newRow("of other numbers") << QByteArray("\"dtype\":\"F32\"") << QByteArray("\"dtype\":\"I32\"");
    }
    void a_layer_that_does_not_belong_to_the_set_is_refused()
    {
        QFETCH(QByteArray, from);
        QFETCH(QByteArray, to);
        const LabelSet set = read_label_set(probed(root_ / "colours", root_ / "damaged.safetensors").label_set);
        const std::string space = engine()->encoder().space();
        QCOMPARE(read_learned_labels(set, space).layers[0]->classes(), 3);
        QByteArray bytes = QByteArray::fromStdString(read_file(set.learned));
        QVERIFY2(bytes.contains(from), bytes.left(800).constData());
        write_file(set.learned, bytes.replace(from, to).toStdString());
        try {
            read_learned_labels(set, space);
            QFAIL("read");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
        }
        fs::remove(set.learned);
        QVERIFY_THROWS_EXCEPTION(Error, read_learned_labels(set, space));
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
