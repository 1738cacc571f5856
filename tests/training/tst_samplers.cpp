// SPDX-License-Identifier: Apache-2.0
// What a step draws, against the table of imp_method.md section 3 and a plain walk of the released loop.
#include <QTest>

#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "training/samplers.h"

using namespace imprint;
using namespace imprint::training;

namespace {

// "all": image-text, image classes, video-text, video classes, video-audio-text, audio classes.
const std::vector<int64_t> kAll = {1, 1, 12, 5, 12, 8};

std::vector<size_t> walk(const std::vector<int64_t>& intervals, int64_t rounds)
{
    std::vector<size_t> steps;
    for (int64_t round = 1; round <= rounds; ++round)
        for (size_t i = 0; i < intervals.size(); ++i)
            if (round % intervals[i] == 0)
                steps.push_back(i);
    return steps;
}

}  // namespace

class TestSamplers : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void the_mixture_all_has_its_published_shares()
    {
        const IntervalSampler sampler(kAll);
        QCOMPARE(sampler.steps_in(120), 299);
        std::vector<int> taken(kAll.size());
        for (int64_t step = 0; step < 299; ++step)
            ++taken[sampler.choose(step)];
        QCOMPARE(taken, (std::vector<int>{120, 120, 10, 24, 10, 15}));
        const double published[] = {40.1, 40.1, 3.3, 8.0, 3.3, 5.0};
        for (size_t i = 0; i < kAll.size(); ++i) {
            QVERIFY(std::abs(sampler.shares()[i] * 100 - published[i]) < 0.05);
            QVERIFY(std::abs(sampler.shares()[i] - taken[i] / 299.0) < 1e-12);
        }
    }

    void a_label_comes_up_as_the_root_of_how_many_bear_it()
    {
        // 25 notes, four dogs, one bell: 5 to 2 to 1.
        std::vector<std::string> labels(25, "note");
        labels.insert(labels.end(), 4, "dog");
        labels.emplace_back("bell");
        const SquareRootSampler sampler(labels);
        Draws draws(3, 0, 1);
        std::vector<int> drawn(labels.size());
        constexpr int kDraws = 80'000;
        for (int i = 0; i < kDraws; ++i)
            ++drawn[sampler.choose(draws)];
        const auto share = [&](size_t item) { return double(drawn[item]) / kDraws; };
        for (size_t i = 0; i < 25; ++i)
            QVERIFY2(std::abs(share(i) - 5.0 / 8 / 25) < 0.003, qPrintable(QString::number(share(i))));
        for (size_t i = 25; i < 29; ++i)
            QVERIFY2(std::abs(share(i) - 2.0 / 8 / 4) < 0.005, qPrintable(QString::number(share(i))));
        QVERIFY(std::abs(share(29) - 1.0 / 8) < 0.006);
    }

    void rounds_go_as_the_released_loop_walks_them_data()
    {
        QTest::addColumn<QList<int>>("intervals");
        QTest::newRow("all") << QList<int>{1, 1, 12, 5, 12, 8};
        QTest::newRow("alone") << QList<int>{1};
        QTest::newRow("rounds without a step") << QList<int>{3, 7};
        QTest::newRow("rare first") << QList<int>{50, 1};
    }
    void rounds_go_as_the_released_loop_walks_them()
    {
        QFETCH(QList<int>, intervals);
        const std::vector<int64_t> wide(intervals.begin(), intervals.end());
        const IntervalSampler sampler(wide);
        const std::vector<size_t> expected = walk(wide, 500);
        QCOMPARE(sampler.steps_in(500), static_cast<int64_t>(expected.size()));
        for (size_t step = expected.size(); step-- > 0;)  // backwards: no step may depend on those before it
            QCOMPARE(sampler.choose(static_cast<int64_t>(step)), expected[step]);
    }

    void weights_become_shares_of_the_steps()
    {
        const WeightedSampler sampler(weights_of(kAll), 7);
        constexpr int steps = 60'000;
        std::vector<int> taken(kAll.size());
        for (int64_t step = 0; step < steps; ++step)
            ++taken[sampler.choose(step)];
        for (size_t i = 0; i < kAll.size(); ++i) {
            const double share = sampler.shares()[i], deviation = std::sqrt(share * (1 - share) / steps);
            QVERIFY(std::abs(taken[i] / double(steps) - share) < 4 * deviation);
            QVERIFY(std::abs(share - IntervalSampler(kAll).shares()[i]) < 1e-12);
        }
    }

    void a_weighted_draw_depends_on_seed_and_step_alone()
    {
        const std::vector<double> weights = {1, 2, 0, 3};
        const WeightedSampler forwards(weights, 5), backwards(weights, 5), other(weights, 6);
        std::vector<size_t> first;
        for (int64_t step = 0; step < 1000; ++step)
            first.push_back(forwards.choose(step));
        int differing = 0;
        for (int64_t step = 1000; step-- > 0;) {
            QCOMPARE(backwards.choose(step), first[static_cast<size_t>(step)]);
            QVERIFY(first[static_cast<size_t>(step)] != 2);  // a weight of 0 is never drawn
            differing += other.choose(step) != first[static_cast<size_t>(step)];
        }
        QVERIFY(differing > 300);
    }

    void a_mixture_that_draws_nothing_is_refused_data()
    {
        QTest::addColumn<QList<double>>("weights");
        QTest::newRow("empty") << QList<double>{};
        QTest::newRow("all zero") << QList<double>{0, 0};
        QTest::newRow("negative") << QList<double>{1, -1};
        QTest::newRow("not a number") << QList<double>{1, std::nan("")};
    }
    void a_mixture_that_draws_nothing_is_refused()
    {
        QFETCH(QList<double>, weights);
        QVERIFY_EXCEPTION_THROWN(WeightedSampler(std::vector<double>(weights.begin(), weights.end()), 1), Error);
        std::vector<int64_t> intervals;
        for (const double weight : weights)
            intervals.push_back(weight > 0 ? 1 : 0);
        QVERIFY_EXCEPTION_THROWN(IntervalSampler{intervals}, Error);
    }
};

QTEST_APPLESS_MAIN(TestSamplers)
#include "tst_samplers.moc"
