// SPDX-License-Identifier: Apache-2.0
// States of a run: what a crash, a full disk, a flipped bit and a second program leave of them.
#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include "core/base/error.h"
#include "training/run_folder.h"

using namespace imprint;
using namespace imprint::training;
namespace fs = std::filesystem;

namespace {

constexpr int kKeep = 2;

RunState state_at(int64_t step, int64_t size = 64)
{
    RunState state;
    state.step = step;
    state.parameters["weights"] = at::full({size}, static_cast<double>(step), at::kFloat);
    state.optimizer = {{"m.weights", at::full({size}, 0.5 + static_cast<double>(step), at::kFloat)},
                       {"n.weights", at::full({1}, static_cast<double>(step), at::kDouble)}};
    state.average["weights"] = at::full({size}, 2.0 * static_cast<double>(step), at::kFloat);
    state.facts = {{"lanes", 2}};
    state.data = {{"skipped", {step}}};
    return state;
}

bool whole(const RunState& state)
{
    const RunState wanted = state_at(state.step, state.parameters.at("weights").size(0));
    const auto same = [](const model::Parameters& a, const model::Parameters& b) {
        return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& item) {
                   return b.contains(item.first) && at::equal(item.second, b.at(item.first).to(item.second.scalar_type()));
               });
    };
    return same(state.parameters, wanted.parameters) && same(state.optimizer, wanted.optimizer)
        && same(state.average, wanted.average) && state.facts == wanted.facts && state.data == wanted.data;
}

void flip_a_bit(const fs::path& path, std::streamoff place)
{
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(place, place < 0 ? std::ios::end : std::ios::beg);
    const int byte = file.get();
    file.seekp(place, place < 0 ? std::ios::end : std::ios::beg);
    file.put(static_cast<char>(byte ^ 4));
}

int names_in(const fs::path& folder)
{
    return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

class TestRunFolder : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { run_ = fs::path(dir_.path().toStdString()) / QTest::currentTestFunction(); }

    void a_state_comes_back_as_it_was_and_the_last_few_stay()
    {
        const RunFolder folder(run_);
        QVERIFY(!folder.has_state());
        for (const int64_t step : {2, 4, 10})
            folder.save(state_at(step), kKeep);
        const RunState last = folder.load();
        QCOMPARE(last.step, int64_t{10});
        QVERIFY(whole(last));
        QCOMPARE(names_in(run_ / "checkpoints"), kKeep);
        folder.save(state_at(10), kKeep);  // the same step again: a run resumed from the state before it
        QVERIFY(whole(folder.load()));
        QCOMPARE(names_in(run_ / "checkpoints"), kKeep);
    }

    void a_damaged_state_is_told_and_the_one_before_it_is_used_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<qlonglong>("place");  // of the flipped bit; 0 takes the file away
        QTest::newRow("a bit of the weights") << "model.safetensors" << -3LL;
        QTest::newRow("a bit of the moments") << "optimizer.safetensors" << -100LL;
        QTest::newRow("a bit of the average") << "average.safetensors" << 30LL;
        QTest::newRow("a bit of the facts") << "state.json" << 12LL;
        QTest::newRow("a bit of the checksums") << "checksums.xxh128" << 5LL;
        QTest::newRow("no weights") << "model.safetensors" << 0LL;
        QTest::newRow("no average") << "average.safetensors" << 0LL;
        QTest::newRow("no checksums") << "checksums.xxh128" << 0LL;
    }
    void a_damaged_state_is_told_and_the_one_before_it_is_used()
    {
        QFETCH(QString, file);
        QFETCH(qlonglong, place);
        fs::remove_all(run_);
        const RunFolder folder(run_);
        folder.save(state_at(1), kKeep);
        folder.save(state_at(2), kKeep);
        const fs::path damaged = run_ / "checkpoints/step-2" / file.toStdString();
        if (place == 0)
            fs::remove(damaged);
        else
            flip_a_bit(damaged, place);
        QString told;
        const RunState state = folder.load([&](const std::string& line) { told += QString::fromStdString(line); });
        QCOMPARE(state.step, int64_t{1});
        QVERIFY(whole(state));
        QVERIFY2(told.contains("step-2"), qPrintable(told));
        fs::remove_all(run_ / "checkpoints/step-1");
        QVERIFY_THROWS_EXCEPTION(Error, folder.load());
        folder.save(state_at(2), kKeep);  // in place of the damaged one
        QVERIFY(whole(folder.load()));
    }

    void a_disk_without_room_costs_the_new_state_alone()
    {
        const RunFolder folder(run_);
        folder.save(state_at(1), kKeep);
        // A file may not grow past a few kilobytes: writes fail half way, as on a full disk.
        const auto before = std::signal(SIGXFSZ, SIG_IGN);
        rlimit old{};
        ::getrlimit(RLIMIT_FSIZE, &old);
        const rlimit small{16384, old.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
        QString told;
        ErrorKind kind = ErrorKind::Io;
        try {
            folder.save(state_at(2, 1 << 16), kKeep);
        } catch (const Error& error) {
            kind = error.kind();
            told = error.what();
        }
        ::setrlimit(RLIMIT_FSIZE, &old);
        std::signal(SIGXFSZ, before);
        QCOMPARE(int(kind), int(ErrorKind::DiskFull));
        QVERIFY2(told.contains("model.safetensors") && told.contains("Free some space"), qPrintable(told));
        QCOMPARE(names_in(run_ / "checkpoints"), 1);
        QVERIFY(whole(folder.load()));
        folder.save(state_at(2, 1 << 16), kKeep);
        QVERIFY(whole(folder.load()));
    }

    void a_writer_killed_at_any_moment_leaves_a_whole_state()
    {
        std::mt19937 random(7);
        for (int round = 0; round < 20; ++round) {
            const pid_t child = ::fork();
            if (child == 0) {
                const RunFolder folder(run_);
                int64_t step = folder.has_state() ? folder.load().step : 0;
                while (true)
                    folder.save(state_at(step += round % 3 != 0, 4096), kKeep);  // now and then the same step again and again
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5 + random() % 60));
            ::kill(child, SIGKILL);
            int status = 0;
            ::waitpid(child, &status, 0);
            QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
            const RunFolder folder(run_);
            if (!folder.has_state())
                continue;  // killed before the first
            QString told;
            const RunState state = folder.load([&](const std::string& line) { told += QString::fromStdString(line); });
            QVERIFY(whole(state));
            QVERIFY2(told.isEmpty(), qPrintable(told));
            QVERIFY(names_in(run_ / "checkpoints") <= kKeep + 1);
        }
    }

    void metrics_after_the_state_are_cut_off()
    {
        const RunFolder folder(run_);
        folder.metric({{"step", 0}});
        folder.metric({{"step", 1}, {"dev", {{"r1", 1}}}});
        folder.save(state_at(1), kKeep);
        folder.metric({{"step", 1}});
        std::ofstream(run_ / "metrics.jsonl", std::ios::app) << "{\"step\": 2, \"lo";  // torn by a crash
        folder.truncate_metrics(folder.load().metrics_bytes);
        folder.metric({{"step", 7}});
        std::ifstream in(run_ / "metrics.jsonl");
        const std::string text(std::istreambuf_iterator<char>(in), {});
        QCOMPARE(QString::fromStdString(text), QString("{\"step\":0}\n{\"dev\":{\"r1\":1},\"step\":1}\n{\"step\":7}\n"));
    }

    void a_second_writer_is_kept_out_and_told_who_is_in()
    {
        const RunFolder first(run_);
        try {
            const RunFolder second(run_);
            QFAIL("two writers");
        } catch (const Error& error) {
            QCOMPARE(int(error.kind()), int(ErrorKind::Busy));
            QVERIFY2(QString(error.what()).contains(QString::number(::getpid())), error.what());
        }
        const RunFolder reader(run_, RunFolder::Access::Read);
        QVERIFY(!reader.has_state());
    }

    void what_differs_is_named()
    {
        const nlohmann::json began{{"lanes", 2}, {"ranks", 1}, {"corpus", "a"}},
            now{{"lanes", 2}, {"ranks", 2}, {"precision", "fp32"}};
        QVERIFY(differing_facts(began, began).empty());
        QVERIFY(differing_facts(began, now) == (std::vector<std::string>{"precision", "ranks", "corpus"}));
    }

private:
    QTemporaryDir dir_;
    fs::path run_;
};

QTEST_APPLESS_MAIN(TestRunFolder)
#include "tst_run_folder.moc"
