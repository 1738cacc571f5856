// SPDX-License-Identifier: Apache-2.0
// Indexing end to end: real files, the real decoder processes, a real (small) model, a real catalog.
#include <QTemporaryDir>
#include <QTest>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <thread>

#include "app/jobs/jobs.h"
#include "app/jobs/scan.h"
#include "tests/app/jobs/test_media.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::jobs;
using namespace imprint::tests;
namespace fs = std::filesystem;

class TestIndexJob : public QObject {
    Q_OBJECT

private:
    QTemporaryDir shared_;
    fs::path media_, model_;

    EngineOptions options(const QTemporaryDir& dir) const
    {
        EngineOptions options;
        options.library = fs::path(dir.path().toStdString()) / "library";
        options.checkpoint = model_;
        options.decoder.worker = fs::path(IMPRINT_BIN_DIR) / "imprint-decode";
        options.decoder.workers = 2;
        return options;
    }
    /// A folder of its own with copies of the shared media.
    static fs::path copy_of(const fs::path& media, const QTemporaryDir& dir)
    {
        const fs::path folder = fs::canonical(dir.path().toStdString()) / "media";
        fs::copy(media, folder, fs::copy_options::recursive);
        return folder;
    }
    static index::Library open(const Engine& engine)
    {
        return index::Library(engine.library_folder(), index::OpenMode::ReadOnly);
    }

private Q_SLOTS:
    void initTestCase()
    {
        const fs::path root = shared_.path().toStdString();
        media_ = root / "media";
        fs::create_directories(media_ / "sub");
        model_ = make_tiny_checkpoint(root);
        for (int i = 0; i < 5; ++i)
            make_picture(media_ / ("picture" + std::to_string(i) + ".png"), i, i % 2 ? "200x320" : "320x200");
        make_video(media_ / "sub" / "video.mp4", 9.5);
        make_video(media_ / "sub" / "mute.mkv", 2, "");
        make_sound(media_ / "sound.wav", 3);
        make_sound(media_ / "silence.wav", 3, "anullsrc");
        write_file(media_ / "notes.txt", "not media\n");
    }

    void the_second_run_finds_nothing_to_do()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        Engine engine(options(dir));
        std::vector<IndexProgress> said;
        const IndexReport first = index_paths(engine, {media}, [&](const IndexProgress& progress) { said.push_back(progress); });
        QCOMPARE(first.files, 9);
        QCOMPARE(first.indexed, 9);
        QVERIFY(first.failed.empty());
        QCOMPARE(QString::fromStdString(said.back().stage), QString("done"));
        QCOMPARE(said.back().done, said.back().found);
        QCOMPARE(said.back().found, 9);
        QCOMPARE(said.back().moments, first.moments);

        const IndexReport second = index_paths(engine, {media});
        QCOMPARE(second.files, 9);
        QCOMPARE(second.unchanged, 9);
        QCOMPARE(second.indexed, 0);
        QCOMPARE(second.moments, 0);
        QCOMPARE(open(engine).counts().moments, first.moments);
        QVERIFY(open(engine).check().empty());
    }

    void each_kind_has_its_moments_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<int>("pictures");
        QTest::addColumn<int>("sounds");
        QTest::newRow("image") << "picture0.png" << 1 << 0;
        QTest::newRow("video without sound") << "sub/mute.mkv" << 1 << 0;
        QTest::newRow("video with sound") << "sub/video.mp4" << 3 << -1;
        QTest::newRow("sound") << "sound.wav" << 0 << -1;
        QTest::newRow("silence") << "silence.wav" << 0 << 0;
    }
    void each_kind_has_its_moments()
    {
        QTemporaryDir dir;
        Engine engine(options(dir));
        QFETCH(QString, file);
        QFETCH(int, pictures);
        QFETCH(int, sounds);  // below 0: at least one
        const EmbeddedFile embedded = embed_file(engine, media_ / file.toStdString());
        int found[2] = {0, 0};
        for (const index::Moment& moment : embedded.moments) {
            ++found[static_cast<int>(moment.modality)];
            QCOMPARE(moment.start.has_value(), embedded.probe.kind != media::Kind::Image);
            if (moment.start)
                QVERIFY(*moment.start >= 0 && *moment.end > *moment.start && *moment.end <= embedded.probe.duration + 0.1);
        }
        QCOMPARE(found[0], pictures);
        QVERIFY(sounds < 0 ? found[1] > 0 : found[1] == sounds);
        QCOMPARE(embedded.vectors.count(), static_cast<int>(embedded.moments.size()));
        for (int i = 0; i < embedded.vectors.count(); ++i) {
            double squares = 0;
            for (const float value : embedded.vectors.row(i))
                squares += static_cast<double>(value) * value;
            QVERIFY2(std::abs(squares - 1) < 1e-3, qPrintable(QString::number(squares)));
        }
    }

    void cuts_part_and_repeats_join_data()
    {
        QTest::addColumn<QStringList>("source");  // of ffmpeg
        QTest::addColumn<QString>("name");
        QTest::addColumn<QList<double>>("starts");  // in seconds, of sound in windows of the model
        const auto inputs = [](const QStringList& sources) {
            QStringList arguments;
            for (const QString& source : sources)
                arguments << "-f"
                          << "lavfi"
                          << "-i" << source;
            return arguments;
        };
        const QString size = "=size=160x120:rate=5:duration=";
        QTest::newRow("three scenes") << inputs(
                                             {"testsrc" + size + "3", "mandelbrot=size=160x120:rate=5", "smptebars" + size + "2"})
                + QStringList{"-filter_complex", "[1]trim=duration=3[b];[0][b][2]concat=n=3"}
                                      << "scenes.mp4" << QList<double>{0, 3, 6};
        QTest::newRow("a minute and a half of one picture")
            << inputs({"smptebars" + size + "90"}) << "still.mp4" << QList<double>{0, 60};
        QTest::newRow("twelve seconds of movement")
            << inputs({"testsrc2" + size + "12"}) << "moving.mp4" << QList<double>{0, 4, 8};
        QTest::newRow("a minute and a half of one tone")
            << inputs({"sine=frequency=300:duration=90"}) << "tone.wav" << QList<double>{0, 14};
        QTest::newRow("noise between silences")
            << inputs({"anoisesrc=d=30:a=0.1"}) + QStringList{"-af", "volume=0:enable='between(t,10,20)'"} << "noise.wav"
            << QList<double>{0, 2, 4, 5};
    }
    void cuts_part_and_repeats_join()
    {
        QFETCH(QStringList, source);
        QFETCH(QString, name);
        QFETCH(QList<double>, starts);
        QTemporaryDir dir;
        const fs::path file = fs::path(dir.path().toStdString()) / name.toStdString();
        std::vector<std::string> arguments{"-nostdin", "-v", "error"};
        for (const QString& argument : source)
            arguments.push_back(argument.toStdString());
        arguments.push_back(file.string());
        QCOMPARE(run_program("ffmpeg", arguments), 0);
        Engine engine(options(dir));
        const EmbeddedFile embedded = embed_file(engine, file);
        QCOMPARE(engine.encoder().sound_window(), 4.096);  // what the rows above count with
        const double unit = name.endsWith("wav") ? engine.encoder().sound_window() : 1;
        QList<double> found;
        double last = 0;
        for (const index::Moment& moment : embedded.moments) {
            found << *moment.start / unit;
            QVERIFY(*moment.start >= last - 0.05);
            last = *moment.end;
        }
        QCOMPARE(embedded.vectors.count(), static_cast<int>(found.size()));
        QVERIFY2(std::equal(found.begin(), found.end(), starts.begin(), starts.end(),
                            [](double a, double b) { return std::abs(a - b) < 1e-3; }),
                 qPrintable(QString("%1 moments, the second from %2").arg(found.size()).arg(found.value(1))));
    }

    void a_span_is_one_moment_of_its_own()
    {
        QTemporaryDir dir;
        Engine engine(options(dir));
        const EmbeddedFile part = embed_file(engine, media_ / "sub" / "mute.mkv", 0.5, 1.5);
        QCOMPARE(part.moments.size(), size_t(1));
        QCOMPARE(*part.moments[0].start, 0.5);
        QCOMPARE(*part.moments[0].end, 1.5);
        QVERIFY_EXCEPTION_THROWN(embed_file(engine, media_ / "picture0.png", 0, 1), Error);
        QVERIFY_EXCEPTION_THROWN(embed_file(engine, media_ / "sub" / "mute.mkv", 100, 101), Error);
        QVERIFY_EXCEPTION_THROWN(embed_file(engine, media_ / "sub" / "mute.mkv", 1, 1), Error);
    }

    void only_what_changed_is_read_again()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        Engine engine(options(dir));
        index_paths(engine, {media});
        fs::remove(media / "picture4.png");
        fs::remove(media / "picture0.png");
        make_picture(media / "picture0.png", 9);
        make_picture(media / "new.png", 10);
        const IndexReport report = index_paths(engine, {media});
        QCOMPARE(report.indexed, 2);
        QCOMPARE(report.unchanged, 7);
        QCOMPARE(report.dropped, 1);
        QVERIFY(!open(engine).find(media / "picture4.png"));
        QVERIFY(open(engine).find(media / "new.png"));
    }

    void what_only_moved_is_not_read_again()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        Engine engine(options(dir));
        const IndexReport first = index_paths(engine, {media});
        std::map<std::string, int64_t> ids;
        for (const char* name : {"picture0.png", "sub/video.mp4", "sub/mute.mkv", "sound.wav"})
            ids[name] = open(engine).find(media / name)->id;

        fs::rename(media / "picture0.png", media / "renamed.png");
        fs::rename(media / "sub", media / "other");
        fs::copy_file(media / "sound.wav", media / "copied.wav");  // and the first one goes: inode and time are new
        fs::remove(media / "sound.wav");
        fs::last_write_time(media / "picture1.png", fs::file_time_type::clock::now());
        const IndexReport second = index_paths(engine, {media});
        QCOMPARE(second.indexed, 0);
        QCOMPARE(second.unchanged, 9);
        QCOMPARE(second.moved, 4);
        QCOMPARE(second.dropped, 0);
        QCOMPARE(open(engine).counts().moments, first.moments);
        QCOMPARE(open(engine).find(media / "renamed.png")->id, ids["picture0.png"]);
        QCOMPARE(open(engine).find(media / "other" / "video.mp4")->id, ids["sub/video.mp4"]);
        QCOMPARE(open(engine).find(media / "other" / "mute.mkv")->id, ids["sub/mute.mkv"]);
        QCOMPARE(open(engine).find(media / "copied.wav")->id, ids["sound.wav"]);
        QVERIFY(open(engine).check().empty());

        fs::copy_file(media / "renamed.png", media / "twice.png");
        QCOMPARE(index_paths(engine, {media}).indexed, 1);
    }

    void what_changes_is_indexed_while_it_is_watched()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        Engine engine(options(dir));
        WatchOptions quick;
        quick.quiet = std::chrono::milliseconds(100);
        const CancelToken cancel;
        std::atomic<int> runs = 0;
        std::vector<IndexReport> reports;  // read once the watching has ended
        std::jthread watching([&] {
            watch_paths(
                engine, {media},
                [&](const IndexReport& report) {
                    reports.push_back(report);
                    ++runs;
                },
                {}, cancel, quick);
        });
        QTRY_VERIFY_WITH_TIMEOUT(runs == 1, 60'000);
        make_picture(media.parent_path() / "new.png", 11);
        fs::create_directory(media / "fresh");
        fs::rename(media.parent_path() / "new.png", media / "fresh" / "new.png");
        QTRY_VERIFY_WITH_TIMEOUT(runs == 2, 60'000);
        fs::remove(media / "sub" / "mute.mkv");
        QTRY_VERIFY_WITH_TIMEOUT(runs == 3, 60'000);
        cancel.cancel();
        watching.join();
        QCOMPARE(reports[0].indexed, 9);
        QCOMPARE(reports[1].indexed, 1);
        QCOMPARE(reports[2].dropped, 1);
        QVERIFY(open(engine).find(media / "fresh" / "new.png"));
    }

    void a_root_that_moved_is_relinked()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir), now = media.parent_path() / "elsewhere";
        Engine engine(options(dir));
        const IndexReport first = index_paths(engine, {media});
        fs::rename(media, now);
        QCOMPARE(relink(engine, media, now).files, 9);
        QCOMPARE(open(engine).roots(), std::vector{now});
        const IndexReport second = index_paths(engine, {now});
        QCOMPARE(second.unchanged, 9);
        QCOMPARE(second.moments, 0);
        QCOMPARE(open(engine).counts().moments, first.moments);
        for (const auto& [from, to] : {std::pair{media, now}, {now, now}, {now, media}, {fs::path("/"), now}})
            QVERIFY_THROWS_EXCEPTION(Error, relink(engine, from, to));
    }

    void a_file_that_stops_being_media_goes()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        fs::rename(media / "picture0.png", media / "picture0");
        Engine engine(options(dir));
        QCOMPARE(index_paths(engine, {media}).indexed, 9);
        QVERIFY(open(engine).find(media / "picture0"));
        write_file(media / "picture0", "now a letter\n");
        const IndexReport report = index_paths(engine, {media});
        QVERIFY(report.failed.empty());
        QCOMPARE(report.files, 8);
        QVERIFY(!open(engine).find(media / "picture0"));
    }

    void roots_are_kept_once()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        Engine engine(options(dir));
        index_paths(engine, {media / "sub"});
        index_paths(engine, {media / "sub" / "mute.mkv", media / "sub" / "." / "video.mp4"});
        QCOMPARE(open(engine).roots().size(), size_t(1));
        const IndexReport report = index_paths(engine, {media / "missing"});
        QCOMPARE(report.failed.size(), size_t(1));
        QCOMPARE(QString::fromStdString(report.failed[0].kind), QString("not-found"));
        QCOMPARE(open(engine).roots().size(), size_t(1));
        QCOMPARE(open(engine).counts().files, 2);
    }

    void a_folder_that_closes_keeps_what_was_known()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        Engine engine(options(dir));
        drop_root_powers();
        index_paths(engine, {media});
        fs::permissions(media / "sub", fs::perms::none);
        const IndexReport closed = index_paths(engine, {media});
        fs::permissions(media / "sub", fs::perms::owner_all);
        QCOMPARE(closed.failed.size(), size_t(1));
        QCOMPARE(closed.dropped, 0);
        QVERIFY(open(engine).find(media / "sub" / "video.mp4"));
        const IndexReport opened = index_paths(engine, {media});
        QVERIFY(opened.failed.empty());
        QCOMPARE(opened.unchanged, 9);
        QVERIFY(open(engine).failures().empty());
    }

    void cancelling_keeps_what_is_done_and_the_next_run_goes_on()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        for (int i = 0; i < 300; ++i)
            fs::copy_file(media_ / "picture0.png", media / ("copy" + std::to_string(i) + ".png"));
        Engine engine(options(dir));
        const CancelToken cancel;
        std::chrono::steady_clock::time_point asked;
        const IndexReport cut = index_paths(
            engine, {media},
            [&](const IndexProgress& progress) {
                if (progress.indexed > 0 && !cancel.cancelled()) {
                    asked = std::chrono::steady_clock::now();
                    cancel.cancel();
                }
            },
            cancel);
        QVERIFY(cut.cancelled);
        QVERIFY(std::chrono::steady_clock::now() - asked < std::chrono::seconds(2));
        QVERIFY(cut.indexed > 0 && cut.indexed < 309);
        QCOMPARE(open(engine).counts().files, cut.indexed);
        const IndexReport rest = index_paths(engine, {media});
        QCOMPARE(rest.unchanged, cut.indexed);
        QCOMPARE(rest.indexed + rest.unchanged, 309);
        QVERIFY(open(engine).check().empty());
    }

    void a_pause_stops_all_work_and_what_is_looked_at_comes_first()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        for (const char* name : {"a", "z"})
            fs::create_directory(media / name);
        for (int i = 0; i < 200; ++i)
            fs::copy_file(media / "picture0.png", media / "a" / (std::to_string(i) + ".png"));
        for (int i = 0; i < 5; ++i)
            fs::copy_file(media / "picture1.png", media / "z" / (std::to_string(i) + ".png"));
        Engine engine(options(dir));
        const IndexControl control;
        control.pause();
        std::atomic<int64_t> done = 0;
        std::atomic<bool> rests = false;
        std::jthread run([&] {
            index_paths(
                engine, {media},
                [&](const IndexProgress& progress) {
                    done = progress.done;
                    rests = progress.stage == "paused";
                },
                {}, control);
        });
        QTRY_VERIFY_WITH_TIMEOUT(rests, 60'000);
        control.look_at(media / "z");
        control.resume();
        QTRY_VERIFY_WITH_TIMEOUT(done > 5, 60'000);
        control.pause();
        // What was under way is finished; then nothing moves, long before all is done.
        const auto comes_to_rest = [&] {
            const int64_t before = done;
            QTest::qWait(1000);
            return rests && done == before;
        };
        QTRY_VERIFY_WITH_TIMEOUT(comes_to_rest(), 60'000);
        const int64_t resting = done;
        QVERIFY(resting < 214);
        control.resume();
        run.join();
        QCOMPARE(open(engine).counts().files, 214);
        int64_t last_looked_at = 0;
        for (int i = 0; i < 5; ++i)
            last_looked_at = std::max(last_looked_at, open(engine).find(media / "z" / (std::to_string(i) + ".png"))->id);
        QVERIFY2(last_looked_at < 150, qPrintable(QString::number(last_looked_at)));
    }

    void threads_are_chosen_before_a_decoder_is_busy()
    {
        // Nothing is decoded during a pause, so what is settled by then was settled without decoders beside it.
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        EngineOptions measuring = options(dir);
        measuring.encoder.threads = 0;
        Engine engine(measuring);
        const IndexControl control;
        control.pause();
        std::optional<bool> chosen;
        const IndexReport report = index_paths(
            engine, {media},
            [&](const IndexProgress& progress) {
                if (progress.stage != "paused" || chosen)
                    return;
                chosen = engine.encoder().threads_chosen();
                control.resume();
            },
            {}, control);
        QVERIFY(report.indexed > 0);
        QVERIFY(chosen.has_value());
        QVERIFY(*chosen);
    }

    void another_model_takes_over_when_all_is_indexed_anew()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        Engine old_engine(options(dir));
        index_paths(old_engine, {media});
        EngineOptions changed = options(dir);
        fs::create_directories(fs::path(dir.path().toStdString()) / "other");
        changed.checkpoint = make_tiny_checkpoint(fs::path(dir.path().toStdString()) / "other", 2);
        Engine engine(changed);
        index::Searcher searcher(engine.library_folder());
        const SearchRequest request{{QueryPart{"a dog", {}, {}, {}, 1}}, {}, 5, true};
        QVERIFY_EXCEPTION_THROWN(search(engine, searcher, request), Error);

        const IndexReport report = index_paths(engine, {media / "picture0.png"});
        QCOMPARE(report.indexed, 9);
        QCOMPARE(*open(engine).active_space(), engine.encoder().space());
        QCOMPARE(search(engine, searcher, request).files.size(), size_t(5));
    }

    void the_old_model_answers_until_the_new_one_can()
    {
        QTemporaryDir dir;
        const fs::path media = copy_of(media_, dir);
        for (int i = 0; i < 60; ++i)
            fs::copy_file(media / "picture0.png", media / ("copy" + std::to_string(i) + ".png"));
        Engine old_engine(options(dir));
        index_paths(old_engine, {media});
        const index::Counts before = open(old_engine).counts();
        const std::string old_space = old_engine.encoder().space();
        index::Searcher searcher(old_engine.library_folder());
        const SearchRequest request{{QueryPart{"a dog", {}, {}, {}, 1}}, {}, 100, true};
        const size_t found = search(old_engine, searcher, request).files.size();
        QVERIFY(found > 60);

        EngineOptions changed = options(dir);
        fs::create_directories(fs::path(dir.path().toStdString()) / "other");
        changed.checkpoint = make_tiny_checkpoint(fs::path(dir.path().toStdString()) / "other", 2);
        Engine engine(changed);
        const CancelToken cancel;
        size_t fewest = found;
        const ModelSwitch cut = use_model(
            engine,
            [&](const IndexProgress& progress) {
                if (progress.indexed == 0 || cancel.cancelled())
                    return;
                const SearchResult meanwhile = search(old_engine, searcher, request);
                QCOMPARE(meanwhile.space, old_space);
                fewest = std::min(fewest, meanwhile.files.size());
                cancel.cancel();
            },
            cancel);
        QVERIFY(cut.report.cancelled && cut.report.indexed > 0 && cut.report.indexed < before.files);
        QCOMPARE(fewest, found);
        QCOMPARE(*open(engine).active_space(), old_space);
        QCOMPARE(search(old_engine, searcher, request).files.size(), found);
        QVERIFY(open(engine).check().empty());

        const ModelSwitch rest = use_model(engine);
        QCOMPARE(rest.report.indexed + rest.report.unchanged, before.files);
        QCOMPARE(rest.away, 0);
        QCOMPARE(rest.report.unchanged, cut.report.indexed);
        QCOMPARE(*open(engine).active_space(), engine.encoder().space());
        QCOMPARE(search(engine, searcher, request).space, engine.encoder().space());
        QVERIFY_THROWS_EXCEPTION(Error, search(old_engine, searcher, request));
        QCOMPARE(open(engine).active_checkpoint(), fs::canonical(changed.checkpoint));
        QVERIFY(open(engine).check().empty());

        // The library knows its model by itself, and the way back costs nothing.
        EngineOptions unnamed = options(dir);
        unnamed.checkpoint.clear();
        QCOMPARE(Engine(unnamed).checkpoint(), fs::canonical(changed.checkpoint));
        const ModelSwitch back = use_model(old_engine);
        QCOMPARE(back.report.indexed, 0);
        QCOMPARE(*open(engine).active_space(), old_space);
    }

    void nothing_is_decoded_for_a_library_in_use()
    {
        QTemporaryDir dir;
        Engine engine(options(dir));
        const index::Library writer(engine.library_folder(), index::OpenMode::ReadWrite);
        bool told = false;
        try {
            index_paths(engine, {media_}, [&](const IndexProgress&) { told = true; });
            QFAIL("two writers");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Busy);
        }
        QVERIFY(!told);
    }

    void a_missing_model_leaves_no_trace()
    {
        QTemporaryDir dir;
        EngineOptions wrong = options(dir);
        wrong.checkpoint = "/nonexistent/model.safetensors";
        Engine engine(wrong);
        try {
            index_paths(engine, {media_});
            QFAIL("indexed without a model");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::NotFound);
        }
        QVERIFY(!fs::exists(engine.library_folder()));
    }
};

QTEST_GUILESS_MAIN(TestIndexJob)
#include "tst_index_job.moc"
