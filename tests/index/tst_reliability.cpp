// SPDX-License-Identifier: Apache-2.0
// What a score means, fitted on hits whose truth is known.
#include <QtTest>

#include <cmath>
#include <random>
#include <vector>

#include "core/base/error.h"
#include "index/reliability.h"

using namespace imprint;
using namespace imprint::index;

class TestReliability : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void bands_begin_alike_for_every_kind();
    void odds_that_hits_were_drawn_by_are_found_again_data();
    void odds_that_hits_were_drawn_by_are_found_again();
    void scores_that_tell_nothing_are_never_likely();
    void what_stands_lower_is_as_often_wrong_as_it_was_seen();
    void a_hit_far_down_counts_for_less_but_in_what_is_kept();
    void too_few_right_hits_are_no_measure();
};

void TestReliability::bands_begin_alike_for_every_kind()
{
    const Reliability plain;
    for (const float score : {-3.0f, 0.0f, 2.2f, 9.0f})
        QVERIFY(std::abs(plain.calibrated(score) - score) < 1e-5f);
    const Reliability faint{.maybe = 1.0f, .likely = 9.0f};
    QCOMPARE(faint.calibrated(1.0f), kMaybeFrom);
    QVERIFY(std::abs(faint.calibrated(9.0f) - kLikelyFrom) < 1e-5f);
    for (const float score : {-3.0f, 0.5f, 4.0f, 20.0f})
        QVERIFY(std::abs(faint.standardised(faint.calibrated(score)) - score) < 1e-4f);
}

void TestReliability::odds_that_hits_were_drawn_by_are_found_again_data()
{
    QTest::addColumn<double>("intercept");
    QTest::addColumn<double>("slope");
    QTest::addRow("a good kind") << 0.5 << 1.0;
    QTest::addRow("a middling kind") << 2.0 << 0.5;
    QTest::addRow("a poor kind") << 3.0 << 0.1;
}

void TestReliability::odds_that_hits_were_drawn_by_are_found_again()
{
    QFETCH(double, intercept);
    QFETCH(double, slope);
    std::mt19937 random(11);
    std::uniform_real_distribution<double> score(0, 8), toss(0, 1);
    std::vector<KnownHit> hits;
    for (int i = 0; i < 40'000; ++i) {
        KnownHit hit;
        hit.standardised = score(random);
        hit.expected = 300 * std::exp(-1.5 * hit.standardised);
        hit.right = toss(random) > 1 / (1 + std::exp(-(intercept + slope * std::log(hit.expected))));
        hits.push_back(hit);
    }
    const Reliability fitted = fit_reliability(hits);
    for (const double expected : {0.01, 1.0, 100.0}) {
        const double truth = 1 / (1 + std::exp(-(intercept + slope * std::log(expected))));
        QVERIFY(std::abs(static_cast<double>(fitted.wrong(expected, 1)) - truth) < 0.03);
    }
    // Where chance and truth are even: the score at which the odds are 1.
    const double even = (intercept + slope * std::log(300)) / (1.5 * slope);
    if (even < 8)
        QVERIFY(std::abs(static_cast<double>(fitted.likely) - even) < 0.3);
    double right = 0, kept = 0;
    for (const KnownHit& hit : hits) {
        right += hit.right ? 1 : 0;
        kept += hit.right && static_cast<float>(hit.standardised) >= fitted.maybe ? 1 : 0;
    }
    QVERIFY(std::abs(kept / right - kKeptRight) < 0.01);
}

void TestReliability::scores_that_tell_nothing_are_never_likely()
{
    // The better the score, the more often wrong: no reason to say so, a reason to believe nothing.
    std::vector<KnownHit> hits;
    for (int i = 0; i < 1000; ++i)
        hits.push_back({.standardised = 0.01 * i, .expected = 100 - 0.09 * i, .right = i % 100 < 10 - i / 200});
    const Reliability fitted = fit_reliability(hits);
    QCOMPARE(fitted.slope, 0.0f);
    double right = 0;
    for (const KnownHit& hit : hits)
        right += hit.right ? 1 : 0;
    QVERIFY(std::abs(static_cast<double>(fitted.wrong(1, 1)) - (1 - right / 1000)) < 1e-3);
    QVERIFY(fitted.calibrated(10) < kLikelyFrom);
}

void TestReliability::what_stands_lower_is_as_often_wrong_as_it_was_seen()
{
    // The same score, but the tenth hit is wrong four times in five and the first once in five.
    std::vector<KnownHit> hits;
    for (int i = 0; i < 500; ++i)
        for (const int rank : {1, 10})
            hits.push_back({.standardised = 3, .expected = 1.0 + i % 7, .right = i % 5 < (rank == 1 ? 4 : 1), .rank = rank});
    const Reliability fitted = fit_reliability(hits);
    QVERIFY(std::abs(static_cast<double>(fitted.wrong(3, 1)) - 0.2) < 0.02);
    QVERIFY(std::abs(static_cast<double>(fitted.wrong(3, 10)) - 0.8) < 0.02);
}

void TestReliability::a_hit_far_down_counts_for_less_but_in_what_is_kept()
{
    // The score says nothing. First hits are wrong half of the time, tenth ones never: what is likely leans on the first.
    std::vector<KnownHit> hits;
    for (int i = 0; i < 200; ++i) {
        hits.push_back({.standardised = 3, .expected = 1, .right = i % 2 == 0, .rank = 1});
        hits.push_back({.standardised = 3, .expected = 1, .right = true, .rank = 10});
    }
    // That lower hits are right more often is not believed: there is one share for all, 0.5 of 1.1 of the weight.
    const Reliability fitted = fit_reliability(hits);
    QCOMPARE(fitted.rank_slope, 0.0f);
    QVERIFY(std::abs(static_cast<double>(fitted.wrong(1, 10)) - 0.5 / 1.1) < 0.01);
    for (KnownHit& hit : hits)
        hit.standardised = hit.rank == 1 ? 3 : 1;
    QCOMPARE(fit_reliability(hits).maybe, 1.0f);
}

void TestReliability::too_few_right_hits_are_no_measure()
{
    std::vector<KnownHit> hits(500, {.standardised = 1, .expected = 5, .right = false});
    for (int i = 0; i + 1 < kFewestRight; ++i)
        hits[static_cast<size_t>(i)].right = true;
    try {
        fit_reliability(hits);
        QFAIL("fitted on nearly nothing");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), ErrorKind::Malformed);
    }
}

QTEST_APPLESS_MAIN(TestReliability)
#include "tst_reliability.moc"
