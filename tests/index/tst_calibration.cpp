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
            const float score = background.calibrated((product - stats.mean) / stats.deviation, Modality::Picture);
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
    std::vector<float> scores, answered;
    for (int i = 0; i < hits; ++i) {
        scores.push_back(static_cast<float>(random() % 1000) / 100 - 2);
        answered.push_back(i % 9 == 0 ? 0.5f : 0);
    }
    std::sort(scores.rbegin(), scores.rend());
    const std::vector<float> shares = wrong_shares(scores, answered, {}, {moments, moments / 2});
    QCOMPARE(shares.size(), scores.size());
    for (size_t i = 0; i < shares.size(); ++i) {
        QVERIFY(shares[i] >= 0 && shares[i] <= 1);
        QVERIFY(i == 0 || shares[i] >= shares[i - 1]);
    }
}

void TestCalibration::the_expected_share_of_wrong_hits_comes_true()
{
    // Twenty right moments stand out among ten thousand, some of which are nearly right: down to where a fifth is expected to
    // be wrong, about a fifth is.
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    const QueryBackground background{};
    std::exponential_distribution<float> beyond(1 / (static_cast<float>(kRelated) * background.tail_excess[0]));
    const auto related = [&](float score) {
        return score > background.tail_from[0] ? background.tail_from[0] + beyond(random) : score;
    };
    constexpr int kTrials = 200;
    double wrong_share = 0;
    int shown = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
        std::vector<std::pair<float, bool>> moments;
        for (int i = 0; i < 10'000; ++i)
            moments.emplace_back(related(normal(random)), false);
        for (int i = 0; i < 20; ++i)
            moments.emplace_back(9 + normal(random), true);
        std::sort(moments.rbegin(), moments.rend());
        moments.resize(200);
        std::vector<float> scores;
        for (const auto& [score, right] : moments)
            scores.push_back(score);
        const std::vector<float> shares = wrong_shares(scores, std::vector<float>(200), background, {10'000, 0});
        int kept = 0, wrong = 0;
        for (; kept < 200 && shares[static_cast<size_t>(kept)] <= 0.2f; ++kept)
            wrong += moments[static_cast<size_t>(kept)].second ? 0 : 1;
        shown += kept;
        wrong_share += static_cast<double>(wrong) / std::max(1, kept) / kTrials;
    }
    QVERIFY(shown > 20 * kTrials);
    QVERIFY2(std::abs(wrong_share - 0.2) < 0.04, qPrintable(QString::number(wrong_share)));
}

void TestCalibration::what_words_answer_is_not_counted_as_wrong()
{
    const std::vector<float> scores{4, 4, 4}, none{0, 0, 0}, all{1, 1, 1};
    QVERIFY(wrong_shares(scores, none, {}, {100'000, 0}).front() > 0.9f);
    QCOMPARE(wrong_shares(scores, all, {}, {100'000, 0}).back(), 0.0f);
}

QTEST_APPLESS_MAIN(TestCalibration)
#include "tst_calibration.moc"
