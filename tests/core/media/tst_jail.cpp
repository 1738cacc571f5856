// SPDX-License-Identifier: Apache-2.0
// What a worker that was taken over can do: nothing but compute, within its memory and its time.
#include <QElapsedTimer>
#include <QTest>

#include "media_tools.h"

using namespace imprint;
using namespace imprint::media;
using namespace imprint::media::test;
namespace fs = std::filesystem;

class Jail : public QObject {
    Q_OBJECT

    static constexpr int64_t kMiB = 1 << 20;
    QTemporaryDir dir_;

    /// What the hostile stand-in says of one try.
    Error after_trying(const QString& what, Limits limits = {})
    {
        DecoderOptions settings = options(1);
        settings.worker = IMPRINT_HOSTILE_WORKER;
        settings.limits = limits;
        Decoder decoder(settings);
        const fs::path file = dir_.filePath("try").toStdString();
        if (!write_file(file, what.toStdString()))
            qFatal("cannot write a test file");
        return failure_of([&] { decoder.probe(file); });
    }

private Q_SLOTS:
    void a_worker_can_only_compute_data()
    {
        QTest::addColumn<QString>("answer");
        for (const char* refused : {"open a file",
                                    "make a file",
                                    "open with the old call",
                                    "open with openat2",
                                    "open its file again to write",
                                    "examine a file",
                                    "list a folder",
                                    "remove a file",
                                    "rename a file",
                                    "go to another folder",
                                    "watch a folder",
                                    "write to its file",
                                    "write past the memory limit",
                                    "make an internet socket",
                                    "make a local socket",
                                    "make a netlink socket",
                                    "connect",
                                    "listen",
                                    "fork",
                                    "vfork",
                                    "clone a process",
                                    "start a program",
                                    "spawn a program",
                                    "signal the parent",
                                    "signal another thread",
                                    "trace the parent",
                                    "read the parent's memory",
                                    "raise its limits",
                                    "become dumpable",
                                    "leave its namespace",
                                    "share memory by key",
                                    "start io_uring"})
            QTest::newRow(refused) << "EPERM";
        QTest::newRow("clone3 a process") << "ENOSYS";  // so that the C library falls back to clone
        QTest::newRow("start a thread") << "allowed";
        QTest::newRow("read its file") << "allowed";
    }
    void a_worker_can_only_compute()
    {
        QFETCH(QString, answer);
        const Error said = after_trying(QTest::currentDataTag());
        QCOMPARE(QString::fromStdString(said.reason()), answer);
        QVERIFY(!fs::exists("/tmp/imprint-hostile-worker"));
    }

    void memory_ends_where_the_limit_says()
    {
        Limits limits;
        limits.max_memory = 64 * kMiB;
        const int taken = std::stoi(after_trying("take memory", limits).reason());
        QVERIFY2(taken >= 32 && taken <= 64, qPrintable(QString::number(taken)));
    }

    void memory_files_are_few_and_no_larger_than_the_limit()
    {
        Limits limits;
        limits.max_memory = 64 * kMiB;
        const int taken = std::stoi(after_trying("take memory files", limits).reason());
        QVERIFY2(taken >= 64 && taken <= 4 * 64, qPrintable(QString::number(taken)));
    }

    void time_ends_for_one_that_put_its_alarm_off()
    {
        Limits limits;
        limits.timeout = 1;
        const Error said = after_trying("spin", limits);
        QCOMPARE(error_kind_name(said.kind()), "limit-exceeded");
        QVERIFY2(said.reason().find("took longer than 1 s") != std::string::npos, said.what());
    }
};

QTEST_GUILESS_MAIN(Jail)
#include "tst_jail.moc"
