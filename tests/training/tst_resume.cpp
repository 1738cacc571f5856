// SPDX-License-Identifier: Apache-2.0
// The program `imprint train` stopped in every way: whatever stops it, the run that goes on ends in the same bytes as one that
// was never stopped; alone and on two ranks.
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <chrono>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/support/tiny_corpus.h"
#include "tests/training/distributed/rank_process.h"

using namespace imprint;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr int kSteps = 30;
constexpr int kKills = 20;
constexpr int kSeconds = 200;  // that any one start may take on a machine that does other things too

QByteArray bytes_of(const fs::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("missing");
}

/// Every line of the metrics without the times.
std::vector<nlohmann::json> metrics_of(const fs::path& run)
{
    std::vector<nlohmann::json> lines;
    std::ifstream in(run / "metrics.jsonl");
    for (std::string line; std::getline(in, line);) {
        lines.push_back(nlohmann::json::parse(line, nullptr, false));
        if (lines.back().is_object())
            for (const char* time : {"seconds", "overhead"})
                lines.back().erase(time);
    }
    return lines;
}

bool has_state(const fs::path& run)
{
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(run / "checkpoints", none))
        if (entry.path().extension().empty())
            return true;
    return false;
}

void replace(std::string& text, const std::string& old, const std::string& with)
{
    QVERIFY2(text.find(old) != std::string::npos, old.c_str());
    text.replace(text.find(old), old.size(), with);
}

}  // namespace

class TestResume : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        root_ = fs::path(dir_.path().toStdString());
        qputenv("XDG_CACHE_HOME", (dir_.path() + "/cache").toUtf8());
        tests::make_tiny_corpus(root_ / "corpus");
        recipe_ = tests::tiny_recipe(root_ / "corpus", "fp32");
        replace(recipe_, "steps = 12", "steps = " + std::to_string(kSteps));
        replace(recipe_, "rate = 3e-3", "rate = 3e-3\naverage = 0.9");
        replace(recipe_, "checkpoint_every = 4", "checkpoint_every = 3\nrecompute = true\npass_tokens = 64");
        std::ofstream(root_ / "recipe.toml") << recipe_;
        for (const int ranks : {1, 2}) {
            const auto begun = std::chrono::steady_clock::now();
            auto processes = start(whole(ranks), ranks);
            QVERIFY2(processes->all_done(kSeconds), processes->said().constData());
            took_[ranks] =
                std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun).count();
        }
    }

    void killed_at_random_moments_it_ends_in_the_same_bytes_data()
    {
        QTest::addColumn<int>("ranks");
        QTest::newRow("one process") << 1;
        QTest::newRow("two ranks") << 2;
    }
    void killed_at_random_moments_it_ends_in_the_same_bytes()
    {
        QFETCH(int, ranks);
        const fs::path run = root_ / ("killed-" + std::to_string(ranks));
        std::mt19937 random(static_cast<unsigned>(ranks));
        int killed = 0;
        for (; killed < kKills; ++killed) {
            auto processes = start(run, ranks);
            const auto moment = std::uniform_int_distribution<qint64>(0, took_[ranks])(random);
            if ((*processes)[0].waitForFinished(static_cast<int>(moment)))
                break;  // done before its last kill
            for (int rank = 0; rank < ranks; ++rank)
                (*processes)[rank].kill();
            for (int rank = 0; rank < ranks; ++rank)
                (*processes)[rank].waitForFinished();
        }
        auto last = start(run, ranks);
        QVERIFY2(last->all_done(kSeconds), last->said().constData());
        same_as_whole(run, ranks);
    }

    void killed_before_its_first_state_it_tells_no_step_twice()
    {
        const fs::path run = root_ / "no-state";
        fs::create_directories(run / "checkpoints");
        std::ifstream told(whole(1) / "metrics.jsonl");
        std::ofstream left(run / "metrics.jsonl");
        for (std::string line; std::getline(told, line) && line.find("\"step\":2") == std::string::npos;)
            left << line << "\n";
        left << "{\"step\":2,\"obj";  // torn
        left.close();
        QVERIFY(metrics_of(run).size() > 1);
        auto again = start(run, 1);
        QVERIFY2(again->all_done(kSeconds), again->said().constData());
        same_as_whole(run, 1);
    }

    void a_rank_killed_alone_ends_the_other_by_name_and_the_run_goes_on()
    {
        const fs::path run = root_ / "one-killed";
        auto processes = start(run, 2);
        wait_for_steps(run, 5);
        (*processes)[1].kill();
        QVERIFY((*processes)[0].waitForFinished(60'000));
        const QByteArray said = (*processes)[0].readAll();
        QVERIFY2(said.contains("rank 1 (process") && said.contains("resume from the run's last state"), said.constData());
        QCOMPARE((*processes)[0].exitCode(), 3);
        // The survivor has written what it had: no step is lost.
        int64_t newest = 0;
        for (const auto& entry : fs::directory_iterator(run / "checkpoints"))
            newest = std::max<int64_t>(newest, std::stoll(entry.path().filename().string().substr(5)));
        QCOMPARE(newest, metrics_of(run).back().at("step").get<int64_t>() + 1);
        auto last = start(run, 2);
        QVERIFY2(last->all_done(kSeconds), last->said().constData());
        same_as_whole(run, 2);
    }

    void a_signal_writes_a_state_and_is_no_failure_data()
    {
        QTest::addColumn<int>("signal");
        QTest::addColumn<int>("ranks");
        QTest::newRow("SIGTERM") << SIGTERM << 1;
        QTest::newRow("SIGINT") << SIGINT << 1;
        QTest::newRow("SIGTERM to two ranks") << SIGTERM << 2;
    }
    void a_signal_writes_a_state_and_is_no_failure()
    {
        QFETCH(int, signal);
        QFETCH(int, ranks);
        const fs::path run = root_ / ("signal-" + std::to_string(signal) + "-" + std::to_string(ranks));
        auto processes = start(run, ranks);
        wait_for_steps(run, 4);
        for (int rank = 0; rank < ranks; ++rank)
            ::kill(static_cast<pid_t>((*processes)[rank].processId()), signal);
        QVERIFY2(processes->all_done(kSeconds), processes->said().constData());
        const auto lines = metrics_of(run);
        QVERIFY(has_state(run) && lines.size() >= 4);
        if (lines.size() < kSteps) {
            QVERIFY2(processes->said().contains("stopped on request"), processes->said().constData());
            QVERIFY(fs::exists(run / "checkpoints" / ("step-" + std::to_string(lines.size())) / "state.json"));
        }
        auto last = start(run, ranks);
        QVERIFY2(last->all_done(kSeconds), last->said().constData());
        same_as_whole(run, ranks);
    }

    void two_ranks_end_where_one_does()
    {
        // Not in the same bits: sums are added in another order, and the optimiser's first steps are as long for a tiny gradient
        // as for a large one. The losses of the first steps tell.
        const auto one = metrics_of(whole(1)), two = metrics_of(whole(2));
        QCOMPARE(one.size(), two.size());
        for (size_t i = 0; i < 3; ++i) {
            for (const char* same : {"objective", "tokens", "samples"})
                QVERIFY2(two[i].at(same) == one[i].at(same), same);
            const double a = one[i].at("loss"), b = two[i].at("loss");
            QVERIFY2(std::abs(a - b) < 1e-3 * std::abs(a), qPrintable(QString("%1 and %2").arg(a).arg(b)));
        }
    }

    void another_number_of_ranks_is_refused()
    {
        auto processes = start(whole(1), 2);
        QVERIFY(!processes->all_done(kSeconds));
        QVERIFY2(processes->said().contains("was begun with another ranks"), processes->said().constData());
        QCOMPARE((*processes)[0].exitCode(), 2);
    }

    void a_run_at_work_is_not_joined_by_another_program()
    {
        const fs::path run = root_ / "at-work";
        auto first = start(run, 1);
        wait_for_steps(run, 1);
        auto second = start(run, 1);
        QVERIFY((*second)[0].waitForFinished(kSeconds * 1000));
        const QByteArray said = (*second)[0].readAll();
        // The first may be done by now on a fast machine: then the second has nothing to do.
        if ((*first)[0].state() == QProcess::Running) {
            QCOMPARE((*second)[0].exitCode(), 3);
            QVERIFY2(said.contains("another program is working on it")
                         && said.contains(QByteArray::number((*first)[0].processId())),
                     said.constData());
        }
        QVERIFY2(first->all_done(kSeconds), first->said().constData());
        same_as_whole(run, 1);
    }

    void a_number_that_is_not_finite_stops_with_step_objective_and_batch()
    {
        std::string recipe = recipe_;
        replace(recipe, "steps = " + std::to_string(kSteps), "steps = 3000");
        replace(recipe, "warmup = 2", "warmup = 0\ndecay = 10.0\nclip = 0.0\nfinal_rate = 1.0");  // weights grow ninefold a step
        replace(recipe, "rate = 3e-3", "rate = 1.0");
        std::ofstream(root_ / "diverging.toml") << recipe;
        const fs::path run = root_ / "diverging";
        tests::RankProcesses processes(IMPRINT_BIN_DIR "/imprint", arguments(run, root_ / "diverging.toml"), 1, 1);
        QVERIFY(processes[0].waitForFinished(kSeconds * 1000));
        const QString said = QString::fromUtf8(processes[0].readAll());
        QCOMPARE(processes[0].exitCode(), 3);
        const auto lines = metrics_of(run);
        QVERIFY2(!lines.empty() && said.contains("is not finite") && said.contains("step " + QString::number(lines.size())),
                 qPrintable(said));
        std::ifstream in(run / ("bad-step-" + std::to_string(lines.size()) + ".json"));
        const auto bad = nlohmann::json::parse(in, nullptr, false);
        QVERIFY2(bad.is_object(), qPrintable(said));
        const auto& task = bad.at("tasks").at(0);
        QVERIFY(said.contains(QString::fromStdString(task.at("objective").get<std::string>())) || said.contains("the gradient"));
        QCOMPARE(task.at("items").size() % task.at("samples").get<size_t>(), size_t{0});
        QVERIFY(!task.at("items").empty());
        for (const auto& item : task.at("items"))
            QVERIFY(item.contains("file") || item.contains("text"));
    }

private:
    fs::path whole(int ranks) const { return root_ / ("whole-" + std::to_string(ranks)); }
    static QStringList arguments(const fs::path& run, const fs::path& recipe)
    {
        QStringList arguments{"train", QString::fromStdString(recipe.string()), "--run", QString::fromStdString(run.string())};
        if (has_state(run))
            arguments << "--resume";
        return arguments;
    }
    std::unique_ptr<tests::RankProcesses> start(const fs::path& run, int ranks) const
    {
        return std::make_unique<tests::RankProcesses>(IMPRINT_BIN_DIR "/imprint", arguments(run, root_ / "recipe.toml"), ranks,
                                                      ranks);
    }
    static void wait_for_steps(const fs::path& run, size_t steps)
    {
        QTRY_VERIFY_WITH_TIMEOUT(metrics_of(run).size() >= steps, kSeconds * 1000);
    }
    void same_as_whole(const fs::path& run, int ranks) const
    {
        const std::string state = "checkpoints/step-" + std::to_string(kSteps) + "/";
        for (const char* file : {"model.safetensors", "optimizer.safetensors", "average.safetensors"})
            QVERIFY2(bytes_of(run / (state + file)) == bytes_of(whole(ranks) / (state + file)), file);
        QVERIFY(metrics_of(run) == metrics_of(whole(ranks)));
    }

    QTemporaryDir dir_;
    fs::path root_;
    std::string recipe_;
    std::map<int, qint64> took_;
};

QTEST_GUILESS_MAIN(TestResume)
#include "tst_resume.moc"
