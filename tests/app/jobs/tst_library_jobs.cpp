// SPDX-License-Identifier: Apache-2.0
// What a library tells of itself: its copies, and how well it is searched.
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <fstream>

#include "app/jobs/bench_job.h"
#include "app/jobs/duplicates_job.h"
#include "tests/app/jobs/test_media.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::jobs;
using namespace imprint::tests;
namespace fs = std::filesystem;

class TestLibraryJobs : public QObject {
    Q_OBJECT

private:
    QTemporaryDir dir_;
    fs::path media_;
    std::unique_ptr<Engine> engine_;

    void convert(const QStringList& arguments, const fs::path& to)
    {
        QCOMPARE(QProcess::execute(
                     "ffmpeg", QStringList{"-v", "error", "-y"} + arguments + QStringList{QString::fromStdString(to.native())}),
                 0);
    }
    QString at(const char* name) const { return QString::fromStdString((media_ / name).native()); }

private Q_SLOTS:
    void initTestCase()
    {
        const fs::path root = fs::canonical(dir_.path().toStdString());
        media_ = root / "media";
        fs::create_directories(media_);
        for (const char* name : {"cat.jpg", "coffee.jpg", "astronaut.jpg"})
            fs::copy_file(fs::path(IMPRINT_SOURCE_DIR) / "resources/samples" / name, media_ / name);
        convert({"-i", at("cat.jpg"), "-vf", "scale=iw/2:-2"}, media_ / "small-cat.jpg");
        convert({"-i", at("cat.jpg"), "-vf", "hflip"}, media_ / "turned-cat.jpg");
        // Two films that begin black and go on differently, and the first of them again in another coding.
        convert({"-f", "lavfi", "-i", "color=black:s=160x120:d=1:r=10", "-f", "lavfi", "-i", "testsrc=s=160x120:d=4:r=10",
                 "-filter_complex", "[0][1]concat=n=2"},
                media_ / "film.mp4");
        convert({"-f", "lavfi", "-i", "color=black:s=160x120:d=1:r=10", "-f", "lavfi", "-i", "mandelbrot=s=160x120:r=10",
                 "-filter_complex", "[1]trim=duration=4,setpts=PTS-STARTPTS[m];[0][m]concat=n=2"},
                media_ / "other.mp4");
        convert({"-i", at("film.mp4"), "-vf", "scale=120:90", "-c:v", "mpeg4"}, media_ / "again.avi");
        make_sound(media_ / "sound.wav", 3);
        convert({"-i", at("sound.wav")}, media_ / "sound.flac");
        EngineOptions options;
        options.library = root / "library";
        options.checkpoint = make_tiny_checkpoint(root);
        options.decoder.worker = fs::path(IMPRINT_BIN_DIR) / "imprint-decode";
        engine_ = std::make_unique<Engine>(options);
        QCOMPARE(index_paths(*engine_, {media_}).indexed, 10);
    }
    void cleanupTestCase() { engine_.reset(); }

    void copies_are_found_and_what_only_begins_alike_is_not()
    {
        int64_t told = 0;
        const Duplicates found = find_duplicates(*engine_, [&](int64_t, int64_t all) { told = all; });
        QCOMPARE(told, 10);
        QVERIFY(found.failed.empty());
        QStringList groups;
        for (const std::vector<index::FileRow>& group : found.groups) {
            QStringList names;
            for (const index::FileRow& row : group)
                names << QString::fromStdString(row.facts.path.filename().native());
            groups << names.join(' ');
        }
        groups.sort();
        QCOMPARE(groups, (QStringList{"cat.jpg small-cat.jpg", "film.mp4 again.avi", "sound.wav sound.flac"}));
    }

    void sounds_of_one_kind_are_copies_only_where_they_go_alike()
    {
        const fs::path root = fs::canonical(dir_.path().toStdString()), folder = root / "sounds";
        fs::create_directories(folder);
        const auto pulses = [&](const char* rhythm, const char* name) {
            convert({"-f", "lavfi", "-i", QString("sine=frequency=500:duration=3,volume='if(%1,1,0.05)':eval=frame").arg(rhythm)},
                    folder / name);
        };
        pulses("lt(mod(t,0.6),0.3)", "even.wav");
        pulses("lt(mod(t+0.3,0.6),0.3)", "between.wav");
        convert({"-i", QString::fromStdString(folder / "even.wav"), "-b:a", "48k"}, folder / "even.mp3");
        EngineOptions options = engine_->options();
        options.library = root / "library-of-sounds";
        Engine engine(options);
        QCOMPARE(index_paths(engine, {folder}).indexed, 3);
        const Duplicates found = find_duplicates(engine);
        QVERIFY(found.compared > 1);  // the two rhythms too were near enough to be listened to
        QCOMPARE(found.groups.size(), size_t(1));
        for (const index::FileRow& row : found.groups.front())
            QVERIFY(row.facts.path.filename().native().starts_with("even."));
    }

    void a_file_that_cannot_be_read_any_more_is_said()
    {
        const fs::path away = media_ / "away";
        fs::rename(media_ / "small-cat.jpg", away);
        const Duplicates found = find_duplicates(*engine_);
        fs::rename(away, media_ / "small-cat.jpg");
        QCOMPARE(found.failed.size(), size_t(1));
        QCOMPARE(found.failed.front().path, media_ / "small-cat.jpg");
        QCOMPARE(found.groups.size(), size_t(2));
    }

    void a_bench_asks_for_what_is_there()
    {
        const LibraryBench bench = bench_library(*engine_, 50);
        QCOMPARE(bench.counts.files, 10);
        QCOMPARE(bench.mirrored.asked, 5);
        QCOMPARE(bench.mirrored.first_ten, 1.0);  // there are only ten files
        QCOMPARE(bench.shifted.asked, 5);
        QVERIFY(bench.named.asked > 5);
        QVERIFY(bench.named.first <= bench.named.first_ten);
        QVERIFY(bench.images_per_second > 0 && bench.text_ms > 0 && bench.text_ms_p95 >= bench.text_ms);
        QCOMPARE(bench.recall, 1.0);
        QVERIFY(!bench.approximate[0] && bench.bytes > 0);
    }

    void being_told_to_stop_ends_both()
    {
        const CancelToken cancel;
        cancel.cancel();
        QVERIFY_THROWS_EXCEPTION(Error, find_duplicates(*engine_, {}, cancel));
        QVERIFY_THROWS_EXCEPTION(Error, bench_library(*engine_, 5, cancel));
    }
};

QTEST_GUILESS_MAIN(TestLibraryJobs)
#include "tst_library_jobs.moc"
