// SPDX-License-Identifier: Apache-2.0
// Steps to tasks: every objective counts its own draws, wherever one begins to ask.
#include <QTest>

#include <vector>

#include "training/plan.h"

using namespace imprint::training;

class TestPlan : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void each_objective_counts_its_own_draws_data()
    {
        QTest::addColumn<bool>("weighted");
        QTest::newRow("weighted") << true;
        QTest::newRow("interval") << false;
    }
    void each_objective_counts_its_own_draws()
    {
        QFETCH(bool, weighted);
        const auto sampler = sampler_of(weighted);
        Plan plan(sampler, false);
        std::vector<int64_t> draws(3, 0);
        for (int64_t step = 0; step < 500; ++step) {
            const auto tasks = plan.tasks(step);
            QCOMPARE(tasks.size(), size_t{1});
            QCOMPARE(tasks[0].objective, sampler->choose(step));
            QCOMPARE(tasks[0].draw, draws[tasks[0].objective]++);
            QCOMPARE(tasks[0].weight, 1.0);
        }
    }

    void a_plan_that_begins_in_the_middle_goes_on_alike()
    {
        Plan whole(sampler_of(true), false), later(sampler_of(true), false);
        for (int64_t step = 0; step < 100; ++step)
            whole.tasks(step);
        for (const int64_t step : {100, 101, 40, 41, 200}) {  // and back
            const auto a = whole.tasks(step), b = later.tasks(step);
            QCOMPARE(a[0].objective, b[0].objective);
            QCOMPARE(a[0].draw, b[0].draw);
        }
    }

    void a_step_of_all_weighs_each_by_its_share()
    {
        Plan plan(sampler_of(true), true);
        const auto tasks = plan.tasks(17);
        QCOMPARE(tasks.size(), size_t{2});  // the third has no share
        QCOMPARE(tasks[0].weight + tasks[1].weight, 1.0);
        QCOMPARE(tasks[0].weight, 0.75);
        for (const auto& task : tasks)
            QCOMPARE(task.draw, int64_t{17});
    }

private:
    static std::shared_ptr<Sampler> sampler_of(bool weighted)
    {
        if (weighted)
            return std::make_shared<WeightedSampler>(std::vector<double>{3, 1, 0}, 5);
        return std::make_shared<IntervalSampler>(std::vector<int64_t>{1, 3, 4});
    }
};

QTEST_APPLESS_MAIN(TestPlan)
#include "tst_plan.moc"
