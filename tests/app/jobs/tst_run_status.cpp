// SPDX-License-Identifier: Apache-2.0
// A run's folder as others see it: who works on it, what is saved, where the next one goes.
#include <unistd.h>

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>

#include "app/jobs/run_status.h"
#include "core/base/error.h"

using namespace imprint;
namespace fs = std::filesystem;

class RunStatusTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    fs::path run_;

    static void write(const fs::path& file, const QByteArray& bytes)
    {
        fs::create_directories(file.parent_path());
        QFile out(QString::fromStdString(file.string()));
        QVERIFY(out.open(QIODevice::WriteOnly));
        out.write(bytes);
    }
    static QByteArray holder(qint64 process)
    {
        char host[64] = {};
        ::gethostname(host, sizeof host - 1);
        return "process " + QByteArray::number(process) + " on " + host + "\n";
    }

private Q_SLOTS:
    void init()
    {
        static int number = 0;
        run_ = folder_.filePath(QString::number(++number)).toStdString();
        fs::create_directories(run_);
    }

    void of_an_empty_folder_nothing_is_known()
    {
        for (const fs::path& folder : {run_, run_ / "not there"}) {
            const jobs::RunStatus status = jobs::run_status(folder);
            QVERIFY(!status.process && !status.saved_step && status.checkpoint.empty() && status.last_words.empty());
            QVERIFY(!jobs::stop_run(folder));
        }
    }

    void a_process_counts_only_while_it_has_the_lock_open()
    {
        write(run_ / "lock", holder(::getpid()));
        QVERIFY(!jobs::run_status(run_).process);
        QFile lock(QString::fromStdString((run_ / "lock").string()));
        QVERIFY(lock.open(QIODevice::ReadOnly));
        QCOMPARE(jobs::run_status(run_).process.value(), ::getpid());
        lock.close();
        QVERIFY(!jobs::run_status(run_).process);
    }

    void what_a_lock_says_of_others_is_not_believed_data()
    {
        QTest::addColumn<QByteArray>("lock");
        QTest::newRow("another machine") << QByteArray("process " + QByteArray::number(::getpid()) + " on elsewhere\n");
        QTest::newRow("nonsense") << QByteArray("\0\xff lock", 7);
        QTest::newRow("no process") << holder(0);
        QTest::newRow("less than none") << holder(-1);
    }
    void what_a_lock_says_of_others_is_not_believed()
    {
        QFETCH(QByteArray, lock);
        write(run_ / "lock", lock);
        QFile open(QString::fromStdString((run_ / "lock").string()));
        QVERIFY(open.open(QIODevice::ReadOnly));
        QVERIFY(!jobs::run_status(run_).process);
        QVERIFY(!jobs::stop_run(run_));
        QCOMPARE(jobs::run_status(run_).elsewhere, lock.contains("elsewhere"));
    }

    void the_newest_whole_state_and_the_model_are_found()
    {
        for (const char* state : {"step-20", "step-120", "step-300.building", "step-x", "other"})
            fs::create_directories(run_ / "checkpoints" / state);
        QCOMPARE(jobs::run_status(run_).saved_step.value(), 120);
        write(run_ / "tiny.safetensors", "x");
        QCOMPARE(jobs::run_status(run_).checkpoint.filename().string(), std::string("tiny.safetensors"));
    }

    void the_last_lines_of_a_long_log_are_what_it_said_last()
    {
        QByteArray log;
        for (int i = 0; i < 5000; ++i)
            log += "line " + QByteArray::number(i) + "\n\n";
        write(run_ / jobs::kRunLog, log + "imprint: the disk is full");
        QCOMPARE(jobs::run_status(run_).last_words, std::string("line 4997\nline 4998\nline 4999\nimprint: the disk is full"));
    }

    void a_new_run_never_lands_in_an_old_ones_folder()
    {
        QCOMPARE(jobs::free_run_folder(run_, "tiny").filename().string(), std::string("tiny"));
        fs::create_directories(run_ / "tiny");
        fs::create_directories(run_ / "tiny-2");
        QCOMPARE(jobs::free_run_folder(run_, "tiny").filename().string(), std::string("tiny-3"));
    }

    void runs_are_listed_the_latest_first()
    {
        for (const char* name : {"old", "young"})
            write(run_ / name / "metrics.jsonl", "{}\n");
        fs::create_directories(run_ / "no run");
        fs::last_write_time(run_ / "old" / "metrics.jsonl", fs::file_time_type::clock::now() - std::chrono::hours(1));
        const auto runs = jobs::runs_in(run_);
        QCOMPARE(runs.size(), size_t(2));
        QCOMPARE(runs[0].filename().string(), std::string("young"));
        QVERIFY(jobs::runs_in(run_ / "not there").empty());
    }

    void the_command_beside_the_tests_is_found()
    {
        const auto words = jobs::train_command("r.toml", "/runs/a b", true);
        QCOMPARE(words.size(), size_t(6));
        QVERIFY(fs::exists(words[0]));
        QCOMPARE(words[4], std::string("/runs/a b"));
        QCOMPARE(words[5], std::string("--resume"));
    }
};

QTEST_GUILESS_MAIN(RunStatusTest)
#include "tst_run_status.moc"
