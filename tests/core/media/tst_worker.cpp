// SPDX-License-Identifier: Apache-2.0
// The pool and its processes: a worker that dies, hangs or is no longer wanted costs one call.
#include <QElapsedTimer>
#include <QTest>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "media_tools.h"

using namespace imprint;
using namespace imprint::media;
using namespace imprint::media::test;
namespace fs = std::filesystem;

namespace
{

// Children of this process that run imprint-decode (/proc/PID/stat: "pid (name) state parent …").
std::vector<pid_t> workers()
{
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        std::ifstream stat(entry.path() / "stat");
        std::string line;
        if (!std::getline(stat, line))
            continue;
        const size_t open = line.find('('), close = line.rfind(')');
        char state = 0;
        int parent = 0;
        if (std::sscanf(line.c_str() + close + 1, " %c %d", &state, &parent) == 2 && parent == getpid() && state != 'Z'
            && line.substr(open + 1, close - open - 1) == "imprint-decode")
            found.push_back(std::stoi(line));
    }
    return found;
}

bool runs(pid_t process)
{
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    return std::getline(stat, line) && line.find(") Z") == line.npos && line.find(") X") == line.npos;
}

int open_descriptors()
{
    int count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

} // namespace

class Worker : public QObject
{
    Q_OBJECT

    QTemporaryDir dir_;
    fs::path picture_, video_;
    std::vector<double> many_times_;

    // A call that takes seconds: 256 large pictures from a video.
    std::vector<Picture> slow_call(Decoder& decoder, const CancelToken& cancel = {})
    {
        return decoder.frames(video_, many_times_, {{{1600, 1200}}, 0}, cancel);
    }

    static pid_t only_worker()
    {
        for (int i = 0; i < 500; ++i) {
            if (const auto found = workers(); found.size() == 1)
                return found[0];
            QTest::qSleep(2);
        }
        return -1;
    }

private Q_SLOTS:
    void the_libraries_that_decode_are_named()
    {
        const QString versions = QString::fromStdString(decoder_versions());
        for (const char* name : {"FFmpeg ", "libvips ", "libsndfile-"})
            QVERIFY2(versions.contains(name), qPrintable(versions));
        QVERIFY_THROWS_EXCEPTION(Error, decoder_versions("/no/such 'program'"));
    }

    void initTestCase()
    {
        qputenv("ASAN_OPTIONS", "handle_segv=0"); // a sanitized worker should die of its signal like a plain one
        picture_ = dir_.filePath("p.jpg").toStdString();
        video_ = dir_.filePath("v.mp4").toStdString();
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", "testsrc=s=640x480", "-frames:v", "1", dir_.filePath("p.jpg")}));
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", "testsrc=s=640x480:r=30:d=9", "-preset", "ultrafast", "-pix_fmt",
            "yuv420p", dir_.filePath("v.mp4")}));
        for (int i = 0; i < 256; ++i)
            many_times_.push_back(i / 30.0);
    }
    void init() { QVERIFY(workers().empty()); }

    void workers_started_ahead_are_those_that_serve()
    {
        DecoderOptions settings;
        settings.workers = 3;
        Decoder decoder(settings);
        decoder.start();
        QTRY_COMPARE(workers().size(), size_t(3));  // until each has become imprint-decode
        std::vector<pid_t> started = workers();
        decoder.start();
        for (int i = 0; i < 5; ++i)
            decoder.probe(picture_);
        std::vector<pid_t> served = workers();
        std::sort(started.begin(), started.end());
        std::sort(served.begin(), served.end());
        QCOMPARE(served, started);
    }

    void what_cannot_start_ahead_is_told_by_the_first_call()
    {
        DecoderOptions settings;
        settings.worker = "/nowhere/imprint-decode";
        Decoder decoder(settings);
        decoder.start();
        QCOMPARE(error_kind_name(failure_of([&] { decoder.probe(picture_); }).kind()), "not-found");
    }

    void a_worker_killed_while_it_decodes_costs_that_call_only()
    {
        Decoder decoder(options(1));
        decoder.probe(picture_);
        const pid_t worker = only_worker();
        std::thread killer([worker] {
            QTest::qSleep(200);
            kill(worker, SIGKILL);
        });
        const Error error = failure_of([&] { slow_call(decoder); });
        killer.join();
        QCOMPARE(error_kind_name(error.kind()), "crashed");
        QVERIFY2(error.reason().find("signal 9") != std::string::npos, error.what());
        QCOMPARE(error.subject(), video_.native());
        QCOMPARE(decoder.probe(picture_).width, 640);
    }

    void a_worker_killed_while_idle_costs_nothing()
    {
        Decoder decoder(options(1));
        decoder.probe(picture_);
        kill(only_worker(), SIGKILL);
        QTest::qSleep(50);
        QCOMPARE(decoder.probe(picture_).width, 640);
    }

    void a_crash_is_named_by_its_signal()
    {
        Decoder decoder(options(1));
        decoder.probe(picture_);
        const pid_t worker = only_worker();
        std::thread killer([worker] {
            QTest::qSleep(200);
            kill(worker, SIGSEGV);
        });
        const Error error = failure_of([&] { slow_call(decoder); });
        killer.join();
        QVERIFY2(error.reason().find("the decoder stopped with signal 11") != std::string::npos, error.what());
    }

    void a_hang_ends_at_the_time_limit()
    {
        DecoderOptions settings = options(1);
        settings.limits.timeout = 1;
        Decoder decoder(settings);
        decoder.probe(picture_);
        kill(only_worker(), SIGSTOP);
        QElapsedTimer timer;
        timer.start();
        const Error error = failure_of([&] { decoder.still(picture_, {}); });
        QVERIFY(timer.elapsed() >= 950 && timer.elapsed() < 2500);
        QCOMPARE(error_kind_name(error.kind()), "limit-exceeded");
        QVERIFY2(error.reason().find("took longer than 1 s") != std::string::npos, error.what());
        QCOMPARE(decoder.still(picture_, {}).width, 512);
    }

    void cancelling_returns_within_a_second_and_kills_the_worker()
    {
        Decoder decoder(options(1));
        decoder.probe(picture_);
        kill(only_worker(), SIGSTOP);
        CancelToken cancel;
        QElapsedTimer since;
        std::thread canceller([&] {
            QTest::qSleep(200);
            since.start();
            cancel.cancel();
        });
        const Error error = failure_of([&] { slow_call(decoder, cancel); });
        canceller.join();
        QVERIFY(since.elapsed() < 1000);
        QCOMPARE(error_kind_name(error.kind()), "cancelled");
        QVERIFY(workers().empty());
    }

    void cancelling_ends_the_wait_for_a_free_worker()
    {
        Decoder decoder(options(1));
        CancelToken first, second;
        std::thread busy([&] { failure_of([&] { slow_call(decoder, first); }); });
        QVERIFY(only_worker() > 0);
        QTest::qSleep(100);
        std::thread waiting([&] {
            QCOMPARE(error_kind_name(failure_of([&] { decoder.probe(picture_, second); }).kind()), "cancelled");
        });
        QTest::qSleep(100);
        second.cancel();
        waiting.join();
        first.cancel();
        busy.join();
    }

    void memory_beyond_the_limit_is_that_and_no_crash_data()
    {
        QTest::addColumn<QString>("name");
        QTest::newRow("a still that cannot be decoded in parts") << "interlaced.png";
        QTest::newRow("a video") << "v.mp4";
    }
    void memory_beyond_the_limit_is_that_and_no_crash()
    {
#if defined(__SANITIZE_ADDRESS__)
        return; // the limit is on address space, of which the sanitizer takes terabytes
#endif
        QFETCH(QString, name);
        if (name.endsWith("png"))
            QVERIFY(ffmpeg({"-f", "lavfi", "-i", "color=red:s=6000x6000", "-frames:v", "1", "-flags", "+ildct",
                dir_.filePath(name)}));
        DecoderOptions settings = options(1);
        settings.limits.max_memory = 24 << 20;
        Decoder decoder(settings);
        const fs::path file = dir_.filePath(name).toStdString();
        const Error error = failure_of([&] {
            if (name.endsWith("png"))
                decoder.still(file, {{}, 8000});
            else
                slow_call(decoder);
        });
        QVERIFY2(error.kind() == ErrorKind::LimitExceeded, error.what());
        QCOMPARE(decoder.probe(picture_).width, 640);
    }

    void a_missing_decoder_program_is_named()
    {
        DecoderOptions settings;
        settings.worker = "/nowhere/imprint-decode";
        Decoder decoder(settings);
        const Error error = failure_of([&] { decoder.probe(picture_); });
        QCOMPARE(error_kind_name(error.kind()), "not-found");
        QCOMPARE(error.subject(), "/nowhere/imprint-decode");
        QCOMPARE(error_kind_name(failure_of([&] { decoder.probe(picture_); }).kind()), "not-found");
    }

    void eight_threads_share_three_workers_and_leak_nothing()
    {
        const int before = open_descriptors();
        {
            Decoder decoder(options(3));
            const Picture reference = decoder.still(picture_, {{}, 100});
            const std::vector<uint8_t> pixels(reference.rgb.begin(), reference.rgb.end());
            std::atomic<int> good = 0, most = 0;
            std::vector<std::thread> threads;
            for (int thread = 0; thread < 8; ++thread)
                threads.emplace_back([&, thread] {
                    for (int i = 0; i < 50; ++i) {
                        if ((i + thread) % 10 == 0) {
                            const fs::path missing = picture_.string() + ".missing";
                            good += failure_of([&] { decoder.probe(missing); }).kind() == ErrorKind::NotFound;
                            continue;
                        }
                        const Picture picture = decoder.still(picture_, {{}, 100});
                        good += std::equal(pixels.begin(), pixels.end(), picture.rgb.begin(), picture.rgb.end());
                        if (i == 25)
                            most = std::max<int>(most, static_cast<int>(workers().size()));
                    }
                });
            for (std::thread& thread : threads)
                thread.join();
            QCOMPARE(good.load(), 400);
            QVERIFY(most <= 3 && most >= 2);
            QCOMPARE(decoder.shared_bytes(), int64_t(100 * 75 * 3));
        }
        QCOMPARE(open_descriptors(), before);
        QVERIFY(workers().empty());
    }

    void a_thread_that_ends_does_not_take_its_worker_along()
    {
        Decoder decoder(options(1));
        std::thread([&] { decoder.probe(picture_); }).join();
        const pid_t worker = only_worker();
        QTest::qSleep(100);
        decoder.probe(picture_);
        QCOMPARE(only_worker(), worker);
    }

    void shared_memory_is_given_back_with_the_last_picture()
    {
        std::vector<Picture> kept;
        {
            Decoder decoder(options(1));
            const double times[] = {0, 1, 2};
            std::vector<Picture> pictures = decoder.frames(video_, times, {{{64, 48}}, 0});
            QCOMPARE(decoder.shared_bytes(), int64_t(3 * 64 * 48 * 3));
            pictures.resize(1);
            QCOMPARE(decoder.shared_bytes(), int64_t(3 * 64 * 48 * 3));
            pictures.clear();
            QCOMPARE(decoder.shared_bytes(), int64_t(0));
            kept = decoder.frames(video_, times, {{{64, 48}}, 0});
        }
        // Readable after its decoder is gone: the test card is not black.
        QVERIFY(std::any_of(kept[2].rgb.begin(), kept[2].rgb.end(), [](uint8_t value) { return value > 100; }));
    }

    void a_lying_worker_is_not_believed_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::newRow("honest") << "";
        QTest::newRow("many descriptors") << "";
        for (const char* lie : {"unsealed", "shrinkable", "short", "nothing sent", "a plain file", "too large",
                 "negative", "another number", "no number", "half a reply", "unknown status", "hung up"})
            QTest::newRow(lie) << "crashed";
        QTest::newRow("an endless reason") << "malformed";
    }
    void a_lying_worker_is_not_believed()
    {
        QFETCH(QString, kind);
        const int before = open_descriptors();
        {
            DecoderOptions settings = options(1);
            settings.worker = IMPRINT_LYING_WORKER;
            Decoder decoder(settings);
            const fs::path file = dir_.filePath("lie").toStdString();
            QVERIFY(write_file(file, QTest::currentDataTag()));
            const Fit fit{{{16, 12}}, 0};
            if (kind.isEmpty()) {
                QCOMPARE(decoder.still(file, fit).rgb.size(), size_t(16 * 12 * 3));
            } else {
                const Error error = failure_of([&] { decoder.still(file, fit); });
                QCOMPARE(QString(error_kind_name(error.kind())), kind);
                QVERIFY(error.reason().size() <= 512);
                QCOMPARE(QString::fromStdString(error.reason()).toStdString(), error.reason()); // valid UTF-8
            }
            QCOMPARE(decoder.shared_bytes(), int64_t(0));
        }
        QCOMPARE(open_descriptors(), before);
    }

    void a_worker_ends_with_its_parent_even_in_the_middle_of_a_file()
    {
        int ends[2];
        QCOMPARE(pipe(ends), 0);
        const pid_t parent = fork();
        if (parent == 0) {
            Decoder decoder(options(1));
            decoder.probe(picture_);
            const pid_t worker = only_worker();
            std::thread([&] { failure_of([&] { slow_call(decoder); }); }).detach();
            QTest::qSleep(200);
            _exit(write(ends[1], &worker, sizeof worker) == sizeof worker ? 0 : 1);
        }
        pid_t worker = -1;
        QCOMPARE(read(ends[0], &worker, sizeof worker), ssize_t(sizeof worker));
        close(ends[0]);
        close(ends[1]);
        QCOMPARE(waitpid(parent, nullptr, 0), parent);
        QVERIFY(worker > 0);
        // Whoever adopts it may not have reaped it yet: a zombie has ended too.
        QTRY_VERIFY_WITH_TIMEOUT(!runs(worker), 2000);
    }

    void no_descriptor_of_ours_reaches_a_worker()
    {
        const int ours = open(picture_.c_str(), O_RDONLY); // without O_CLOEXEC, as other libraries do
        QVERIFY(ours > 3);
        Decoder decoder(options(1));
        decoder.probe(picture_);
        const fs::path folder = "/proc/" + std::to_string(only_worker()) + "/fd";
        std::error_code refused; // the worker is not dumpable: only root may look
        int count = 0;
        for (fs::directory_iterator at(folder, refused), end; !refused && at != end; ++at) {
            std::error_code gone;
            const fs::path target = fs::read_symlink(at->path(), gone);
            QVERIFY2(gone || target != picture_, target.c_str());
            ++count;
        }
        QVERIFY(refused || count >= 4);
        close(ours);
    }
};

QTEST_GUILESS_MAIN(Worker)
#include "tst_worker.moc"
