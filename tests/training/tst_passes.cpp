// SPDX-License-Identifier: Apache-2.0
// A step in passes on several lanes is the same step as one graph over everything.
#include <QTest>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <map>
#include <numeric>
#include <random>

#include "core/model/parameters.h"
#include "tests/training/small_passes.h"
#include "training/adamw.h"
#include "training/average.h"
#include "training/objectives.h"
#include "training/passes.h"

using namespace imprint;
using namespace imprint::training;
using test::small_model;
using test::texts;

namespace {

constexpr double kZWeight = 0.1;

}  // namespace

class TestPasses : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        at::set_num_threads(1);
        parameters_ = model::initial_parameters(config_, 3);
        for (const auto& spec : model::parameter_specs(config_))
            if (!spec.frozen)
                parameters_.at(spec.name).requires_grad_(true);
    }

    void gradients_are_those_of_one_graph_over_the_whole_batch_data()
    {
        QTest::addColumn<int>("lanes");
        QTest::addColumn<qlonglong>("most_tokens");
        QTest::addColumn<bool>("recompute");
        QTest::addColumn<bool>("blocks");
        QTest::newRow("one lane, whole groups") << 1 << 1000LL << false << false;
        QTest::newRow("two lanes, cut groups") << 2 << 8LL << false << false;
        QTest::newRow("three lanes, one item a pass") << 3 << 1LL << false << false;
        QTest::newRow("one lane, passes go forwards twice") << 1 << 8LL << true << false;
        QTest::newRow("two lanes, passes go forwards twice") << 2 << 5LL << true << false;
        QTest::newRow("one lane, blocks go forwards twice") << 1 << 1000LL << false << true;
        QTest::newRow("two lanes, passes and blocks go forwards twice") << 2 << 8LL << true << true;
    }
    void gradients_are_those_of_one_graph_over_the_whole_batch()
    {
        QFETCH(int, lanes);
        QFETCH(qlonglong, most_tokens);
        QFETCH(bool, recompute);
        QFETCH(bool, blocks);
        const model::Network network(config_, parameters_);
        const auto loss_of = [&](const at::Tensor& a, const at::Tensor& b) {
            return nce(a, b, network.temperature("text_text"));
        };

        // One graph: a pass per length, so that the router's mean over tokens is the same mean.
        const PassList left = texts(13, 0, 1000), right = texts(13, 5, 1000);
        at::Tensor z = at::zeros({});
        std::vector<std::vector<at::Tensor>> rows(2);
        for (size_t side = 0; side < 2; ++side)
            for (const Pass& pass : (side ? right : left).passes()) {
                const PassOutput output = pass.forward(network);
                rows[side].push_back(output.rows);
                z = z + output.z_loss * pass.share;
            }
        const at::Tensor whole =
            loss_of(at::cat(rows[0]).index({left.order()}), at::cat(rows[1]).index({right.order()})) + z * kZWeight;
        whole.backward();
        const auto wanted = take_gradients();

        model::Lanes threads(lanes);
        Passes::Replicas replicas(config_, parameters_, {{}, recompute, blocks, nullptr}, threads);
        Passes passes(replicas);
        const size_t a = passes.add(texts(13, 0, most_tokens)), b = passes.add(texts(13, 5, most_tokens));
        passes.forward();
        const at::Tensor loss = loss_of(passes.rows(a), passes.rows(b));
        passes.backward(loss, kZWeight);
        QVERIFY(std::abs(loss.item<double>() + kZWeight * passes.z_loss() - whole.item<double>()) < 1e-5);
        const auto found = take_gradients();
        QVERIFY(!wanted.empty());
        QCOMPARE(found.size(), wanted.size());
        for (const auto& [name, gradient] : wanted) {
            const double difference = (found.at(name) - gradient).norm().item<double>();
            QVERIFY2(difference <= 2e-5 * (1e-3 + gradient.norm().item<double>()), name.c_str());
        }
    }

    void the_same_lanes_give_the_same_bits()
    {
        std::vector<std::map<std::string, at::Tensor>> seen;
        for (int run = 0; run < 3; ++run) {
            model::Lanes threads(2);
            Passes::Replicas replicas(config_, parameters_, {}, threads);
            Passes passes(replicas);
            const size_t a = passes.add(texts(40, 0, 16)), b = passes.add(texts(40, 5, 16));
            passes.forward();
            passes.backward(nce(passes.rows(a), passes.rows(b), at::full({}, 0.1)), kZWeight);
            seen.push_back(take_gradients());
        }
        for (const auto& [name, gradient] : seen[0])
            for (size_t run = 1; run < seen.size(); ++run)
                QVERIFY2(at::equal(gradient, seen[run].at(name)), name.c_str());
    }

    void memory_is_that_of_one_pass_a_lane_when_passes_go_forwards_twice_data()
    {
        QTest::addColumn<bool>("recompute");
        QTest::newRow("twice") << true;
        QTest::newRow("once: of all of them") << false;
    }
    void memory_is_that_of_one_pass_a_lane_when_passes_go_forwards_twice()
    {
        QFETCH(bool, recompute);
        constexpr int kItems = 24, kLanes = 2;
        // Each pass's graph keeps a tensor that tells when it goes.
        std::atomic<int> alive = 0, most = 0;
        PassList list;
        PassList::Part all(kItems);
        std::iota(all.begin(), all.end(), 0);
        list.add(all, 2, 2, kItems, [&](const PassList::Part& part) {
            return [&, id = part.front()](const model::Network& network) {
                most = std::max<int>(most, ++alive);
                auto* one = new float(1);
                const at::Tensor mark = at::from_blob(one, {1}, [&alive](void* data) {
                    delete static_cast<float*>(data);
                    --alive;
                });
                return PassOutput{network.encode_text(at::full({1, 2}, id, at::kLong)).vectors * mark, {}};
            };
        });
        model::Lanes threads(kLanes);
        Passes::Replicas replicas(config_, parameters_, {{}, recompute, false, nullptr}, threads);
        {
            Passes passes(replicas);
            passes.add(std::move(list));
            passes.forward();
            QCOMPARE(alive.load(), recompute ? 0 : kItems);
            passes.backward(passes.rows(0).square().sum(), 0);
            QCOMPARE(alive.load(), 0);
        }
        QVERIFY2(recompute ? most <= kLanes : most == kItems, qPrintable(QString::number(most)));
        take_gradients();
    }

    void memory_is_flat_over_two_thousand_steps_of_changing_shapes()
    {
        model::Lanes threads(2);
        Passes::Replicas replicas(config_, parameters_, {}, threads);
        AdamW optimizer(config_, parameters_);
        Average average(parameters_, 0.99);
        std::mt19937 random(3);
        const auto between = [&](int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random); };
        const auto resident = [] {
            std::ifstream in("/proc/self/statm");
            int64_t all = 0, pages = 0;
            in >> all >> pages;
            return pages * ::sysconf(_SC_PAGESIZE);
        };
        int64_t settled = 0;
        for (int64_t step = 0; step < 2000; ++step) {
            Passes passes(replicas);
            const int64_t items = between(2, 40);
            const size_t a = passes.add(texts(items, static_cast<uint64_t>(step), between(1, 60)));
            const size_t b = passes.add(texts(items, static_cast<uint64_t>(step) + 5, between(1, 60)));
            passes.forward();
            passes.backward(nce(passes.rows(a), passes.rows(b), at::full({}, 0.5)), kZWeight);
            QVERIFY(std::isfinite(optimizer.step({}, 1e-4, threads)));
            average.update(step, threads);
            if (step == 500)
                settled = resident();
        }
        const int64_t grown = resident() - settled;
        QVERIFY2(grown < 8 << 20, qPrintable(QString("grown by %1 bytes").arg(grown)));
    }

    void rows_come_back_in_the_order_of_the_items()
    {
        const model::Network network(config_, parameters_);
        const at::NoGradGuard guard;
        const at::Tensor together = texts(10, 0, 1000).run(network);
        for (int64_t item = 0; item < 10; ++item) {
            const int64_t length = 2 + (item % 3 == 0);
            std::vector<int64_t> ids;
            for (int64_t t = 0; t < length; ++t)
                ids.push_back((item * 7 + t * 3) % 40);
            const at::Tensor alone = network.encode_text(at::tensor(ids, at::kLong).view({1, length})).vectors[0];
            QVERIFY2(at::allclose(together[item], alone, 1e-5, 1e-6), qPrintable(QString::number(item)));
        }
    }

private:
    std::map<std::string, at::Tensor> take_gradients()
    {
        std::map<std::string, at::Tensor> gradients;
        for (auto& [name, parameter] : parameters_)
            if (parameter.grad().defined()) {
                gradients[name] = parameter.grad().clone();
                parameter.mutable_grad() = at::Tensor();
            }
        return gradients;
    }

    model::ModelConfig config_ = small_model();
    model::Parameters parameters_;
};

QTEST_APPLESS_MAIN(TestPasses)
#include "tst_passes.moc"
