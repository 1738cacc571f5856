// SPDX-License-Identifier: Apache-2.0
// Two and three processes on Gloo: what they tell each other, whether their gradients are those of one process, and how they
// end when one of them is gone. The test starts itself once for each rank.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <QCoreApplication>
#include <QTest>

#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <thread>

#include "core/base/error.h"
#include "core/model/parameters.h"
#include "tests/training/distributed/rank_process.h"
#include "tests/training/small_passes.h"
#include "training/objectives.h"
#include "training/passes.h"

using namespace imprint;
using namespace imprint::training;
using test::small_model;
using test::texts;
using namespace std::chrono_literals;

namespace {

constexpr double kZWeight = 0.1;

void require(bool good, const std::string& what)
{
    if (!good)
        throw std::runtime_error(what);
}

void they_tell_each_other(const Ranks& ranks)
{
    for (int round = 0; round < 3; ++round) {
        const auto texts = ranks.tell("round " + std::to_string(round) + " of " + std::to_string(ranks.rank()));
        require(texts.size() == static_cast<size_t>(ranks.world()), "a text is missing");
        for (int rank = 0; rank < ranks.world(); ++rank)
            require(texts[static_cast<size_t>(rank)] == "round " + std::to_string(round) + " of " + std::to_string(rank),
                    "a text is another's");
    }
    const auto sizes = ranks.tell(std::string(static_cast<size_t>(ranks.rank()) * 70'000, '\0'));  // nothing, and much
    for (int rank = 0; rank < ranks.world(); ++rank)
        require(sizes[static_cast<size_t>(rank)].size() == static_cast<size_t>(rank) * 70'000, "a text has lost bytes");
    for (const auto& nothing : ranks.tell(""))
        require(nothing.empty(), "nothing has become something");
    // Blocks of 1, 0, 1, … rows and of equal rows, in the order of the ranks.
    for (const int64_t most : {1, 3}) {
        std::vector<int64_t> counts;
        std::vector<at::Tensor> wanted;
        for (int rank = 0; rank < ranks.world(); ++rank) {
            counts.push_back(most == 1 ? (rank + 1) % 2 : most);
            wanted.push_back(at::full({counts.back(), 2}, rank + 0.5));
        }
        require(at::equal(ranks.gather_rows(wanted[static_cast<size_t>(ranks.rank())], counts), at::cat(wanted)),
                "rows are out of order");
    }
    // Many sums under way at once.
    std::vector<at::Tensor> tensors;
    std::vector<Ranks::Sum> sums;
    for (int i = 0; i < 30; ++i) {
        tensors.push_back(at::full({100 + i}, static_cast<double>(ranks.rank() + i), at::kFloat));
        sums.push_back(ranks.begin_sum(tensors.back()));
    }
    const int world = ranks.world();
    for (int i = 0; i < 30; ++i) {
        sums[static_cast<size_t>(i)].wait();
        require(tensors[static_cast<size_t>(i)].eq(world * i + world * (world - 1) / 2).all().item<bool>(), "a sum is wrong");
    }
}

struct Outcome {
    double loss = 0, z_loss = 0;
    std::map<std::string, at::Tensor> gradients;
};

/// Two tasks whose gradients are added up, as a step that accumulates does.
Outcome step_of(const Ranks* ranks, int64_t items, bool recompute, size_t bucket_bytes)
{
    const model::ModelConfig config = small_model();
    model::Parameters parameters = model::initial_parameters(config, 3);
    for (const auto& spec : model::parameter_specs(config))
        parameters.at(spec.name) = parameters.at(spec.name).to(at::kDouble).requires_grad_(!spec.frozen);
    const model::Network network(config, parameters);
    const model::Lanes lanes(2);
    Passes::Replicas replicas(config, parameters, {{at::kDouble}, recompute, recompute, ranks}, lanes);
    const Ranks alone;
    GradientSum sum(ranks ? *ranks : alone, replicas.parameters(), bucket_bytes);
    Outcome outcome;
    for (const uint64_t task : {0u, 1u}) {
        Passes passes(replicas);
        const size_t a = passes.add(texts(items, task, 20, passes.share())),
                     b = passes.add(texts(items, 5 + task, 7, passes.share()));
        passes.forward();
        const at::Tensor loss = nce(passes.rows(a), passes.rows(b), network.temperature("text_text"));
        if (task == 1)
            sum.begin(false);
        passes.backward(loss, kZWeight, task == 1 ? &sum : nullptr);
        outcome.loss += loss.item<double>();
        outcome.z_loss += passes.z_loss();
    }
    require(!sum.finish(), "nobody wanted to stop");
    for (auto& [name, tensor] : parameters)
        if (tensor.grad().defined())
            outcome.gradients[name] = tensor.grad().clone();
    return outcome;
}

void their_gradients_are_those_of_one(const Ranks& ranks)
{
    for (const bool recompute : {false, true})
        for (const int64_t items : {26, 13, 2})  // even, odd, and too few for every rank to get some of each length
            for (const size_t bucket_bytes : {size_t{2000}, size_t{1} << 30}) {
                const Outcome whole = step_of(nullptr, items, false, bucket_bytes),
                              shared = step_of(&ranks, items, recompute, bucket_bytes);
                const std::string where = " with " + std::to_string(items) + " items";
                require(std::abs(whole.loss - shared.loss) < 1e-12 && std::abs(whole.z_loss - shared.z_loss) < 1e-10,
                        "another loss" + where);
                require(whole.gradients.size() == shared.gradients.size(), "other tensors have gradients" + where);
                require(whole.gradients.contains("temperature.text_text"), "the temperature has no gradient");
                for (const auto& [name, gradient] : whole.gradients) {
                    const double off = (shared.gradients.at(name) - gradient).abs().max().item<double>();
                    require(off < 1e-10 * std::max(1.0, gradient.abs().max().item<double>()),
                            name + where + " is off by " + std::to_string(off * 1e10) + "e-10");
                }
            }
}

void one_wish_stops_all(const Ranks& ranks)
{
    std::vector<at::Tensor> parameters{at::zeros({3}).requires_grad_(true), at::zeros({2}).requires_grad_(true)};
    GradientSum sum(ranks, parameters, 4);
    for (const int who : {-1, ranks.world() - 1}) {
        sum.begin(ranks.rank() == who);
        if (ranks.rank() == 0)
            parameters[0].mutable_grad() = at::full({3}, 2.0f);
        sum.ready(1);
        sum.ready(0);
        require(sum.finish() == (who >= 0), "they do not agree whether to stop");
        require(parameters[0].grad().eq(2).all().item<bool>(), "a gradient of one rank is not on all");
        require(!parameters[1].grad().defined(), "a tensor that nobody touched has a gradient");
        parameters[0].mutable_grad() = at::Tensor();
    }
}

/// Rank 0 or, where that one goes, rank 1 says which Error it got.
void step_until_error(const Ranks& ranks, int going, const std::function<void()>& go)
{
    try {
        for (int step = 0;; ++step) {
            if (step == 3 && ranks.rank() == going)
                go();
            ranks.begin_sum(at::zeros({10})).wait();
        }
    } catch (const Error& error) {
        std::printf("[%s] %s\n", error_kind_name(error.kind()), error.what());
        ranks.leave(error.what());
    }
}

const std::map<std::string, std::function<void(const Ranks&)>>& works()
{
    static const std::map<std::string, std::function<void(const Ranks&)>> all{
        {"tell", they_tell_each_other},
        {"gradients", their_gradients_are_those_of_one},
        {"stop", one_wish_stops_all},
        {"killed", [](const Ranks& ranks) { step_until_error(ranks, 1, [] { std::raise(SIGKILL); }); }},
        {"store killed", [](const Ranks& ranks) { step_until_error(ranks, 0, [] { std::raise(SIGKILL); }); }},
        {"hanging", [](const Ranks& ranks) { step_until_error(ranks, 1, [] { std::raise(SIGSTOP); }); }},
        {"leaving",
         [](const Ranks& ranks) {
             step_until_error(ranks, 1, [&] {
                 ranks.leave("disk-full: no room for the state");
                 std::exit(0);
             });
         }},
        {"never comes", [](const Ranks&) {}},
    };
    return all;
}

int work(const std::string& name)
{
    at::set_num_threads(1);
    try {
        RanksOptions options;
        options.silence = name == "hanging" ? 5s : 30s;
        options.join = name == "never comes" ? 3s : 120s;
        const Ranks ranks(read_launch(), options);
        works().at(name)(ranks);
        return 0;
    } catch (const std::exception& error) {
        std::printf("failed: %s\n", error.what());
        return 1;
    }
}

}  // namespace

class TestRanks : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void what_they_do_together_data()
    {
        QTest::addColumn<QString>("work");
        QTest::addColumn<int>("world");
        QTest::newRow("they tell each other, two") << "tell" << 2;
        QTest::newRow("they tell each other, three") << "tell" << 3;
        QTest::newRow("gradients of two are those of one") << "gradients" << 2;
        QTest::newRow("gradients of three are those of one") << "gradients" << 3;
        QTest::newRow("one wish stops all") << "stop" << 2;
    }
    void what_they_do_together()
    {
        QFETCH(QString, work);
        QFETCH(int, world);
        tests::RankProcesses ranks(QCoreApplication::applicationFilePath(), {"--work", work}, world, world);
        const bool done = ranks.all_done();
        QVERIFY2(done, ranks.said().constData());
    }

    void a_rank_that_is_gone_ends_the_others_by_name_data()
    {
        QTest::addColumn<QString>("work");
        QTest::addColumn<int>("survivor");
        QTest::addColumn<QStringList>("said");
        QTest::newRow("killed") << "killed" << 0 << QStringList{"[crashed]", "rank 1 (process", "was lost", "resume"};
        QTest::newRow("the one with the store killed") << "store killed" << 1 << QStringList{"[crashed]", "rank 0 (process"};
        QTest::newRow("hanging") << "hanging" << 0 << QStringList{"[crashed]", "rank 1 (process", "nothing was heard"};
        QTest::newRow("leaving with a reason")
            << "leaving" << 0 << QStringList{"[crashed]", "rank 1 (process", "no room for the state"};
    }
    void a_rank_that_is_gone_ends_the_others_by_name()
    {
        QFETCH(QString, work);
        QFETCH(int, survivor);
        QFETCH(QStringList, said);
        tests::RankProcesses ranks(QCoreApplication::applicationFilePath(), {"--work", work}, 2, 2);
        QVERIFY(ranks[survivor].waitForFinished(200'000));
        const QString text = QString::fromUtf8(ranks[survivor].readAll());
        QCOMPARE(ranks[survivor].exitCode(), 0);
        for (const QString& part : said)
            QVERIFY2(text.contains(part), qPrintable(text));
    }

    void a_rank_that_never_comes_is_named()
    {
        tests::RankProcesses ranks(QCoreApplication::applicationFilePath(), {"--work", "never comes"}, 2, 1);
        QVERIFY(!ranks.all_done());
        QVERIFY2(ranks.said().contains("1 did not come"), ranks.said().constData());
    }

    void alone_nothing_is_sent()
    {
        const Ranks ranks;
        QCOMPARE(ranks.world(), 1);
        const at::Tensor rows = at::rand({3, 2});
        QVERIFY(at::equal(ranks.gather_rows(rows, {3}), rows));
        QVERIFY(ranks.tell("x") == std::vector<std::string>{"x"});
        const at::Tensor sum = rows.clone();
        ranks.begin_sum(sum).wait();
        QVERIFY(at::equal(sum, rows));
    }
};

int main(int argc, char** argv)
{
    if (argc == 3 && std::string(argv[1]) == "--work")
        return work(argv[2]);
    const QCoreApplication application(argc, argv);
    TestRanks test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_ranks.moc"
