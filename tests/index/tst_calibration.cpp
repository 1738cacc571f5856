// SPDX-License-Identifier: Apache-2.0
// What a score means: tails that chance really has, shares of wrong hits that come true.
#include <QtTest>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "index/background.h"
#include "index/calibration.h"
#include "tests/index/library_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

class TestCalibration : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void chance_falls_with_the_score();
    void chance_is_what_other_background_moments_do();
    void shares_never_fall_down_the_list_data();
    void shares_never_fall_down_the_list();
    void the_expected_share_of_wrong_hits_comes_true();
    void what_words_answer_is_not_counted_as_wrong();
};

void TestCalibration::chance_falls_with_the_score()
{
    const QueryBackground background{{0, 0}, {1, 1}, {1.1f, 1.4f}, {0.4f, 0.6f}};
    for (const Modality modality : {Modality::Picture, Modality::Sound}) {
        double before = 1;
        for (float score = -6; score < 12; score += 0.01f) {
            const double chance = background.chance(score, modality);
            QVERIFY(chance > 0 && chance <= before);
            before = chance;
        }
    }
}

void TestCalibration::chance_is_what_other_background_moments_do()
{
    // The tail is fitted on a few hundred moments and tried on fifty thousand others of the same kind.
    std::mt19937 random(5);
    const Vectors small = random_vectors(random, 300), large = random_vectors(random, 50'000);
    double predicted[3] = {}, happened[3] = {};
    const float scores[3] = {1.5f, 2.5f, 3.5f};
    for (int trial = 0; trial < 20; ++trial) {
        const Vectors query = random_vectors(random, 1);
        const QueryBackground background = QueryBackground::of(query.row(0), bank(), small, small);
        for (int i = 0; i < large.count(); i += 10) {
            const BankStats stats = bank_stats(large.row(i), bank());
            const float product = std::inner_product(query.values.begin(), query.values.end(), large.row(i).begin(), 0.0f);
            const float score = background.standardised(bank_score(product, stats.mean), Modality::Picture);
            for (int s = 0; s < 3; ++s)
                happened[s] += score >= scores[s] ? 1 : 0;
        }
        for (int s = 0; s < 3; ++s)
            predicted[s] += 5000 * background.chance(scores[s], Modality::Picture);
    }
    for (int s = 0; s < 2; ++s)
        QVERIFY2(predicted[s] / happened[s] > 0.6 && predicted[s] / happened[s] < 1.7,
                 qPrintable(QString("%1: %2 for %3").arg(scores[s]).arg(predicted[s]).arg(happened[s])));
    QVERIFY(predicted[2] > 0.5 * happened[2]);  // far out it errs to the safe side
}

void TestCalibration::shares_never_fall_down_the_list_data()
{
    QTest::addColumn<int>("hits");
    QTest::addColumn<qint64>("moments");
    for (const int hits : {0, 1, 7, 500})
        for (const qint64 moments : {qint64(1), qint64(1000), qint64(1'000'000)})
            QTest::addRow("%d of %lld", hits, moments) << hits << moments;
}

void TestCalibration::shares_never_fall_down_the_list()
{
    QFETCH(int, hits);
    QFETCH(qint64, moments);
    std::mt19937 random(7);
    std::vector<Judged> judged;
    for (int i = 0; i < hits; ++i)
        judged.push_back({static_cast<float>(random() % 1000) / 100 - 2, i % 9 == 0 ? 0.5f : 0,
                          i % 4 == 0 ? Modality::Sound : Modality::Picture});
    std::sort(judged.begin(), judged.end(), [](const Judged& a, const Judged& b) { return a.score > b.score; });
    QueryBackground background;
    background.reliability.of[1] = {.maybe = 1, .likely = 8, .intercept = 3, .slope = 0.2f};
    const std::vector<float> shares = wrong_shares(judged, background, {moments, moments / 2});
    QCOMPARE(shares.size(), judged.size());
    for (size_t i = 0; i < shares.size(); ++i) {
        QVERIFY(shares[i] >= 0 && shares[i] <= 1);
        QVERIFY(i == 0 || shares[i] >= shares[i - 1]);
    }
}

void TestCalibration::the_expected_share_of_wrong_hits_comes_true()
{
    // Fitted on half of the questions, told of the other half: a thing of its own in each, among many that are not it.
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    constexpr int kQuestions = 2000, kMoments = 500, kFirst = 10;
    std::vector<KnownHit> known;
    QueryBackground background{};
    constexpr size_t kRanks[] = {1, 3, 10};
    double expected[3] = {}, happened[3] = {};
    for (int question = 0; question < kQuestions; ++question) {
        std::vector<std::pair<float, bool>> moments;
        for (int i = 0; i < kMoments; ++i)
            moments.emplace_back(normal(random) + (i % 50 == 0 ? 1.0f : 0.0f), false);  // some are nearly right
        moments.emplace_back(3 + normal(random), true);
        std::sort(moments.rbegin(), moments.rend());
        if (question == kQuestions / 2)
            background.reliability.of[0] = fit_reliability(known);
        std::vector<Judged> judged;
        for (int i = 0; i < kFirst; ++i) {
            const auto [score, right] = moments[static_cast<size_t>(i)];
            judged.push_back({background.reliability.of[0].calibrated(score), 0, Modality::Picture});
            if (question < kQuestions / 2)
                known.push_back({static_cast<double>(score),
                                 background.expected(judged.back().score, Modality::Picture, kMoments), right, i + 1});
        }
        if (question >= kQuestions / 2) {
            const std::vector<float> shares = wrong_shares(judged, background, {kMoments, 0});
            for (size_t r = 0; r < 3; ++r) {
                expected[r] += static_cast<double>(shares[kRanks[r] - 1]);
                for (size_t i = 0; i < kRanks[r]; ++i)
                    happened[r] += moments[i].second ? 0 : 1.0 / static_cast<double>(kRanks[r]);
            }
        }
    }
    for (size_t r = 0; r < 3; ++r) {
        const double error = (expected[r] - happened[r]) / (kQuestions / 2.0);
        QVERIFY2(std::abs(error) < 0.05, qPrintable(QString("down to %1: %2").arg(kRanks[r]).arg(error)));
    }
    QVERIFY(happened[0] > 0.1 * kQuestions / 2 && happened[0] < 0.9 * kQuestions / 2);
}

void TestCalibration::what_words_answer_is_not_counted_as_wrong()
{
    const std::vector<Judged> none(3, {4, 0, Modality::Picture}), all(3, {4, 1, Modality::Picture});
    QVERIFY(wrong_shares(none, {}, {100'000, 0}).front() > 0.9f);
    QCOMPARE(wrong_shares(all, {}, {100'000, 0}).back(), 0.0f);
}

QTEST_APPLESS_MAIN(TestCalibration)
#include "tst_calibration.moc"
