// SPDX-License-Identifier: Apache-2.0
// Which file comes next, who gives way, and when memory counts as short.
#include <QTemporaryDir>
#include <QTest>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "app/jobs/courtesy.h"
#include "app/jobs/work_list.h"
#include "tests/app/jobs/test_media.h"

using namespace imprint;
using namespace imprint::jobs;

namespace {

std::vector<Candidate> files(const std::vector<std::string>& paths)
{
    std::vector<Candidate> all;
    for (const std::string& path : paths)
        all.emplace_back(index::FileFacts{path, 1, 1, 1, 1}, true);
    return all;
}

}  // namespace

class TestWorkList : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void what_is_looked_at_comes_first()
    {
        const std::vector<Candidate> all = files({"/a/1", "/a/2", "/b/1", "/b/2", "/bc/1", "/c/1"});
        const IndexControl control;
        WorkList list(all, control);
        QCOMPARE(list.take()->path, std::string("/a/1"));
        control.look_at("/b");
        QCOMPARE(list.take()->path, std::string("/b/1"));
        control.look_at("/c/1");
        QCOMPARE(list.take()->path, std::string("/c/1"));
        control.look_at("/b");
        QCOMPARE(list.take()->path, std::string("/b/2"));
        QCOMPARE(list.take()->path, std::string("/a/2"));
        QCOMPARE(list.take()->path, std::string("/bc/1"));
        QVERIFY(!list.take());
        QVERIFY(!list.take());
    }

    void each_file_is_taken_once_by_many_threads()
    {
        std::vector<std::string> paths;
        for (int i = 0; i < 5000; ++i)
            paths.push_back("/" + std::to_string(i % 7) + "/" + std::to_string(i));
        const std::vector<Candidate> all = files(paths);
        const IndexControl control;
        WorkList list(all, control);
        std::vector<std::vector<const Candidate*>> taken(4);
        {
            std::vector<std::jthread> threads;
            for (auto& mine : taken)
                threads.emplace_back([&] {
                    while (const Candidate* file = list.take()) {
                        mine.push_back(file);
                        if (mine.size() % 100 == 0)
                            control.look_at("/" + std::to_string(mine.size() / 100 % 8));
                    }
                });
        }
        std::set<const Candidate*> once;
        size_t count = 0;
        for (const auto& mine : taken) {
            once.insert(mine.begin(), mine.end());
            count += mine.size();
        }
        QCOMPARE(count, all.size());
        QCOMPARE(once.size(), all.size());
    }

    void who_works_behind_ones_back_gives_way_and_nobody_else()
    {
        constexpr int kOfProcess = 1, kClassShift = 13, kIdle = 3;  // of linux/ioprio.h
        const auto nice = [] { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); };
        const auto io_class = [] { return ::syscall(SYS_ioprio_get, kOfProcess, ::gettid()) >> kClassShift; };
        const int before = nice();
        const long io_before = io_class();
        int within = 0;
        long io_within = 0;
        std::jthread([&] {
            lower_priority();
            // What a worker starts, as it starts the decoders, gives way too.
            std::jthread([&] {
                within = nice();
                io_within = io_class();
            }).join();
        }).join();
        QVERIFY(within >= 10);
        QCOMPARE(io_within, long(kIdle));
        QCOMPARE(nice(), before);
        QCOMPARE(io_class(), io_before);
    }

    void memory_is_short_when_little_could_be_had_data()
    {
        QTest::addColumn<QString>("meminfo");
        QTest::addColumn<bool>("is_short");
        QTest::newRow("plenty") << "MemTotal: 16000000 kB\nMemFree: 10 kB\nMemAvailable: 8000000 kB\n" << false;
        QTest::newRow("little") << "MemTotal: 16000000 kB\nMemFree: 10 kB\nMemAvailable: 900000 kB\n" << true;
        QTest::newRow("a large machine") << "MemTotal: 256000000 kB\nMemAvailable: 2000000 kB\n" << false;
        QTest::newRow("a small machine") << "MemTotal: 1000000 kB\nMemAvailable: 100000 kB\n" << false;
        QTest::newRow("nobody says") << "" << false;
    }
    void memory_is_short_when_little_could_be_had()
    {
        QFETCH(QString, meminfo);
        QTemporaryDir dir;
        const std::filesystem::path file = dir.filePath("meminfo").toStdString();
        tests::write_file(file, meminfo.toStdString());
        QTEST(memory_is_short(file), "is_short");
    }
};

QTEST_GUILESS_MAIN(TestWorkList)
#include "tst_work_list.moc"
