// SPDX-License-Identifier: Apache-2.0
// What a reviewed sample tells: intervals that hold the truth, probabilities that come true, whatever was reviewed besides.
#include <QTest>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "app/jobs/label_review.h"

using namespace imprint;
using namespace imprint::jobs;

namespace {

/// A run of still images under two labels, all guessed to be the first; `probability` of each by the generator.
LabelRun made_up(int count, std::mt19937& random, int64_t first_id)
{
    LabelRun run;
    run.set.name = "made up";
    run.set.classes = {{"yes", {}, {}, -1}, {"no", {}, {}, -1}};
    std::uniform_real_distribution<double> uniform(0.3, 1);
    for (int i = 0; i < count; ++i) {
        const double p = uniform(random);
        run.files.push_back({first_id + i, "/" + std::to_string(i), {}});
        run.moments.push_back({static_cast<size_t>(i), {}, {{0}, p, p >= run.options.confidence}, {{0, p}, {1, 1 - p}}});
    }
    return run;
}

}  // namespace

class TestLabelReview : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void intervals_are_clopper_and_pearsons_data()
    {
        QTest::addColumn<int>("right");
        QTest::addColumn<int>("of");
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        // The ends by bisection of the exact binomial tails in Python, 80 halvings.
        QTest::newRow("none of ten") << 0 << 10 << 0.0 << 0.30849710781876083;
        QTest::newRow("all of ten") << 10 << 10 << 0.6915028921812392 << 1.0;
        QTest::newRow("half of twenty") << 10 << 20 << 0.27195784956 << 0.72804215044;
        QTest::newRow("most of a hundred and twenty-four") << 108 << 124 << 0.79893055663 << 0.92441343199;
    }
    void intervals_are_clopper_and_pearsons()
    {
        QFETCH(int, right);
        QFETCH(int, of);
        QFETCH(double, low);
        QFETCH(double, high);
        const Estimate estimate = estimated_share(right, of);
        QVERIFY2(std::abs(estimate.low - low) < 1e-6, qPrintable(QString::number(estimate.low, 'g', 10)));
        QVERIFY2(std::abs(estimate.high - high) < 1e-6, qPrintable(QString::number(estimate.high, 'g', 10)));
    }

    /// Each review looks at 60 moments that chance drew, and at the 120 most uncertain besides.
    void the_interval_holds_the_truth_in_at_least_90_of_100_reviews_data()
    {
        QTest::addColumn<double>("shift");
        QTest::newRow("as sure as it should be") << 0.0;
        QTest::newRow("far too sure") << -0.3;
        QTest::newRow("not sure enough") << 0.25;
    }
    void the_interval_holds_the_truth_in_at_least_90_of_100_reviews()
    {
        QFETCH(double, shift);
        std::mt19937 random(17);
        std::uniform_real_distribution<double> uniform;
        int held = 0;
        for (int review = 0; review < 100; ++review) {
            LabelRun run = made_up(1500, random, 10'000 * review);
            std::vector<int> truth;
            int decided = 0, right = 0;
            for (const LabelledMoment& moment : run.moments) {
                truth.push_back(uniform(random) < moment.guess.probability + shift ? 0 : 1);
                decided += moment.guess.decided ? 1 : 0;
                right += moment.guess.decided && truth.back() == 0 ? 1 : 0;
            }
            std::vector<size_t> uncertain(run.moments.size());
            std::iota(uncertain.begin(), uncertain.end(), size_t{0});
            std::sort(uncertain.begin(), uncertain.end(),
                      [&](size_t a, size_t b) { return run.moments[a].guess.probability < run.moments[b].guess.probability; });
            for (size_t i = 0; i < 120; ++i)
                run.moments[uncertain[i]].verdict = truth[uncertain[i]];
            int drawn = 0;
            for (const size_t i : order_of_chance(run)) {
                if (drawn == 60)
                    break;
                if (!run.moments[i].verdict) {
                    run.moments[i].verdict = truth[i];
                    run.moments[i].drawn = true;
                    ++drawn;
                }
            }
            const ReviewState state = review_state(run);
            QVERIFY(state.accuracy && state.sample >= 60);
            const double share = static_cast<double>(right) / decided;
            held += share >= state.accuracy->low && share <= state.accuracy->high ? 1 : 0;
        }
        QVERIFY2(held >= 90, qPrintable(QString::number(held)));
        qInfo("%d of 100 intervals hold the truth", held);
    }

    void a_sample_that_is_too_small_gives_no_estimate()
    {
        std::mt19937 random(2);
        LabelRun run = made_up(100, random, 1);
        const std::vector<size_t> order = order_of_chance(run);
        for (size_t i = 0; i + 1 < static_cast<size_t>(kLeastSample); ++i) {
            run.moments[order[i]].verdict = 0;
            run.moments[order[i]].drawn = true;
        }
        QVERIFY(!review_state(run).accuracy);
        run.moments[order[kLeastSample + 1]].verdict = 0;  // behind a gap: no part of the sample
        run.moments[order[kLeastSample + 1]].drawn = true;
        QVERIFY(!review_state(run).accuracy);
    }

    void reviewed_probabilities_come_true_data()
    {
        QTest::addColumn<double>("slope");
        QTest::addColumn<double>("offset");
        QTest::newRow("too sure") << 0.4 << -0.8;
        QTest::newRow("not sure enough") << 2.0 << 0.7;
        QTest::newRow("right already") << 1.0 << 0.0;
    }
    void reviewed_probabilities_come_true()
    {
        QFETCH(double, slope);
        QFETCH(double, offset);
        std::mt19937 random(9);
        std::uniform_real_distribution<double> uniform(0.02, 0.98);
        const Platt world{slope, offset};
        std::vector<double> said;
        std::vector<bool> right;
        for (int i = 0; i < 4000; ++i) {
            said.push_back(uniform(random));
            right.push_back(std::uniform_real_distribution<double>()(random) < world(said.back()));
        }
        const Platt fit = fit_platt(said, right);
        for (double p = 0.05; p < 1; p += 0.1)
            QVERIFY2(std::abs(fit(p) - world(p)) < 0.05,
                     qPrintable(QStringLiteral("%1: %2, %3").arg(p).arg(fit(p)).arg(world(p))));
    }

    void one_sided_reviews_do_not_break_the_scale()
    {
        for (const bool all : {true, false}) {
            const Platt fit = fit_platt(std::vector<double>(30, 0.7), std::vector<bool>(30, all));
            QVERIFY(std::isfinite(fit(0.1)) && fit(0.99) >= fit(0.01));
            QVERIFY(all ? fit(0.7) > 0.9 && fit(0.7) < 1 : fit(0.7) < 0.1 && fit(0.7) > 0);
        }
        const Platt against = fit_platt({0.1, 0.2, 0.3, 0.7, 0.8, 0.9}, {true, true, true, false, false, false});
        QVERIFY(std::abs(against(0.1) - against(0.9)) < 1e-9);
    }

    void a_parent_is_right_for_its_kinds()
    {
        LabelSet set;
        set.classes = {{"animal", {}, {}, -1}, {"dog", {}, {}, 0}};
        QVERIFY(is_right(set, {{0}, 1, true}, 1) && is_right(set, {{1}, 1, true}, 1));
        QVERIFY(!is_right(set, {{1}, 1, true}, 0) && !is_right(set, {{1}, 1, true}, LabelledMoment::kNone));
        QVERIFY(is_right(set, {{}, 1, true}, LabelledMoment::kNone) && !is_right(set, {{}, 1, true}, 0));
        QVERIFY(!is_right(set, {{1}, 1, true}, LabelledMoment::kOther));
    }
};

QTEST_APPLESS_MAIN(TestLabelReview)
#include "tst_label_review.moc"
