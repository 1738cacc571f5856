// SPDX-License-Identifier: Apache-2.0
// The paired bootstrap on differences whose distribution is known.
#include <QTest>

#include <cmath>
#include <random>
#include <vector>

#include "training/evaluation/comparison.h"

using namespace imprint::evaluation;

class TestComparison : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void what_both_find_hard_does_not_blur_the_difference()
    {
        // Queries differ wildly, the systems always by one in a hundred: unpaired intervals would overlap.
        std::mt19937 generator(1);
        std::uniform_real_distribution<double> hard(0, 100);
        std::vector<double> first, second;
        for (int i = 0; i < 400; ++i) {
            second.push_back(hard(generator));
            first.push_back(second.back() + 0.01);
        }
        const Comparison result = compare(first, second, 1000, 3);
        QVERIFY(std::abs(result.difference - 0.01) < 1e-9);
        QVERIFY(std::abs(result.interval.low - 0.01) < 1e-9 && std::abs(result.interval.high - 0.01) < 1e-9);
        QCOMPARE(result.p, 2 / 1001.0);
        QVERIFY(bootstrap(first, 1000, 3).low < result.second && bootstrap(first, 1000, 3).high > result.second);
    }

    void the_interval_is_that_of_the_mean()
    {
        // 200 hits against 160 of 400, 100 queries where only the first hits, 60 where only the second: the difference has mean
        // 0.1 and standard error √((160/400 − 0.01) / 400) = 0.0312.
        std::vector<double> first(400), second(400);
        for (size_t i = 0; i < 400; ++i) {
            first[i] = i < 200;
            second[i] = i >= 100 && i < 260;
        }
        const Comparison result = compare(first, second, 4000, 5);
        QCOMPARE(result.first, 0.5);
        QCOMPARE(result.second, 0.4);
        QVERIFY(std::abs(result.interval.low - (0.1 - 1.96 * 0.0312)) < 0.008);
        QVERIFY(std::abs(result.interval.high - (0.1 + 1.96 * 0.0312)) < 0.008);
        QVERIFY(result.p > 0.0002 && result.p < 0.006);  // 3.2 standard errors: 0.0014
        const Comparison again = compare(first, second, 4000, 5), turned = compare(second, first, 4000, 5);
        QCOMPARE(again.interval.low, result.interval.low);
        QVERIFY(std::abs(turned.interval.high + result.interval.low) < 1e-12);
        QCOMPARE(turned.p, result.p);
    }

    void captions_of_one_picture_are_not_many_pictures()
    {
        // 40 pictures with five captions each that all hit or miss together: only 40 things were seen.
        std::mt19937 generator(2);
        std::vector<double> first, second;
        std::vector<int> groups;
        for (int picture = 0; picture < 40; ++picture) {
            const double hit = generator() % 2;
            for (int caption = 0; caption < 5; ++caption) {
                first.push_back(hit);
                second.push_back(0.3);
                groups.push_back(picture * 7);
            }
        }
        const Comparison alone = compare(first, second, 2000, 1), grouped = compare(first, second, 2000, 1, groups);
        QCOMPARE(grouped.difference, alone.difference);
        const double ratio = (grouped.interval.high - grouped.interval.low) / (alone.interval.high - alone.interval.low);
        QVERIFY2(std::abs(ratio - std::sqrt(5.0)) < 0.25, qPrintable(QString::number(ratio)));
    }

    void equals_and_nothing_show_no_difference()
    {
        const std::vector<double> same(30, 0.5);
        QCOMPARE(compare(same, same, 200, 1).p, 1.0);
        QCOMPARE(compare(same, same, 200, 1).interval.high, 0.0);
        QCOMPARE(compare({}, {}, 200, 1).p, 1.0);
    }
};

QTEST_APPLESS_MAIN(TestComparison)
#include "tst_comparison.moc"
