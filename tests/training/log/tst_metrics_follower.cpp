// SPDX-License-Identifier: Apache-2.0
// A run's metrics read while they are written say what they say when all is there.
#include <QFile>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QTest>

#include "training/log/run_metrics.h"

using namespace imprint::training;

namespace {

QByteArray step_line(int step, double loss)
{
    return "{\"step\":" + QByteArray::number(step) + ",\"objective\":\"" + (step % 2 ? "sound" : "picture")
        + "\",\"loss\":" + QByteArray::number(loss) + ",\"seconds\":0.5,\"samples\":4,\"expert_use\":[[0.25,0.75]]}\n";
}

QByteArray lines(int from, int to, double loss)
{
    QByteArray all;
    for (int step = from; step < to; ++step) {
        all += step_line(step, loss + step);
        if (step % 10 == 9)
            all += "{\"step\":" + QByteArray::number(step + 1) + ",\"dev\":{\"r1\":" + QByteArray::number(step) + "}}\n";
    }
    return all;
}

class Run {
public:
    void add(const QByteArray& bytes)
    {
        QFile file(folder_.filePath("metrics.jsonl"));
        QVERIFY(file.open(QIODevice::Append));
        file.write(bytes);
    }
    void cut(qint64 size) { QFile::resize(folder_.filePath("metrics.jsonl"), size); }
    std::filesystem::path path() const { return folder_.path().toStdString(); }

private:
    QTemporaryDir folder_;
};

void compare(const RunMetrics& one, const RunMetrics& other)
{
    QVERIFY(one.steps == other.steps);
    QVERIFY(one.evaluations == other.evaluations);
    QVERIFY(one.expert_use == other.expert_use);
    QCOMPARE(one.last_step, other.last_step);
    QCOMPARE(one.seconds, other.seconds);
    QCOMPARE(one.damaged_lines, other.damaged_lines);
}

}  // namespace

class MetricsFollowerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void in_pieces_it_reads_the_same_as_at_once()
    {
        const QByteArray all = lines(0, 60, 3) + "torn{\n" + lines(60, 80, 3);
        QRandomGenerator random(5);
        for (int round = 0; round < 20; ++round) {
            Run run;
            MetricsFollower follower(run.path());
            for (qsizetype at = 0; at < all.size();) {
                const qsizetype size = random.bounded(1, 900);
                run.add(all.mid(at, size));
                at += size;
                follower.read();
            }
            compare(follower.metrics(), read_run_metrics(run.path()));
            QVERIFY(!follower.read());
        }
    }

    void what_a_resume_does_again_counts_once()
    {
        Run run;
        run.add(lines(0, 40, 3));
        MetricsFollower follower(run.path());
        QVERIFY(follower.read());
        run.cut(lines(0, 20, 3).size());
        run.add(lines(20, 70, 9));  // longer than before: its size alone would not tell
        QVERIFY(follower.read());
        compare(follower.metrics(), read_run_metrics(run.path()));
        QCOMPARE(follower.metrics().last_step, 69);
        run.cut(0);
        QVERIFY(follower.read());
        QVERIFY(follower.metrics().steps.empty());
    }

    void a_run_that_has_not_written_yet_is_empty()
    {
        Run run;
        MetricsFollower follower(run.path());
        QVERIFY(!follower.read());
        QCOMPARE(follower.metrics().last_step, -1);
        run.add(step_line(0, 1).chopped(1));
        QVERIFY(!follower.read());
        run.add("\n");
        QVERIFY(follower.read());
        QCOMPARE(follower.metrics().last_step, 0);
    }
};

QTEST_GUILESS_MAIN(MetricsFollowerTest)
#include "tst_metrics_follower.moc"
