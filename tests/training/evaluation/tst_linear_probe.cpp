// SPDX-License-Identifier: Apache-2.0
// A linear probe finds what is linearly there and nothing else.
#include <QTest>

#include <cmath>
#include <limits>
#include <random>

#include "core/base/error.h"
#include "training/evaluation/linear_probe.h"
#include "training/evaluation/zero_shot.h"

using namespace imprint;
using namespace imprint::evaluation;

namespace {

/// Three classes around the corners of a triangle in the first two of eight dimensions.
FeatureTable clouds(int samples, unsigned seed, std::vector<int>& labels)
{
    std::mt19937 generator(seed);
    std::normal_distribution<float> noise(0, 0.6f);
    FeatureTable table{8, {}};
    for (int i = 0; i < samples; ++i) {
        const int label = i % 3;
        labels.push_back(label);
        for (int d = 0; d < 8; ++d) {
            const double angle = label * 2.0943951;
            table.values.push_back(noise(generator)
                                   + static_cast<float>(d == 0       ? 2 * std::cos(angle)
                                                            : d == 1 ? 2 * std::sin(angle)
                                                                     : 0));
        }
    }
    return table;
}

ProbeOptions quick(uint64_t seed = 1)
{
    ProbeOptions options;
    options.rate = 1e-2;
    options.epochs = 40;
    options.batch = 64;
    options.seed = seed;
    return options;
}

}  // namespace

class TestLinearProbe : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void what_is_linearly_there_is_found()
    {
        std::vector<int> train_labels, test_labels;
        const FeatureTable train = clouds(300, 1, train_labels), test = clouds(300, 2, test_labels);
        const LinearProbe probe(train, train_labels, 3, quick());
        QVERIFY(accuracy(probe(test), test_labels).mean_top1() > 0.97);
        QVERIFY(probe.final_loss() < 0.2);
        std::vector<int> shuffled_labels = train_labels;
        std::shuffle(shuffled_labels.begin(), shuffled_labels.end(), std::mt19937(3));
        const LinearProbe lost(train, shuffled_labels, 3, quick());
        const double chance = accuracy(lost(test), test_labels).mean_top1();
        QVERIFY2(chance > 0.1 && chance < 0.6, qPrintable(QString::number(chance)));
    }

    void the_first_step_is_adams()
    {
        // Zero weights: logits 0, error p − y = ±0.5, so Adam's first step is the rate against the gradient's sign, everywhere.
        const FeatureTable one{2, {2, -3}};
        ProbeOptions options;
        options.epochs = 1;
        const LinearProbe probe(one, std::vector<int>{1}, 2, options);
        const Scores logits = probe(one);
        // Each weight moved by 1e-4: class 1's logit is 1e-4 · (2 + 3 + 1), class 0's the opposite.
        QVERIFY(std::abs(logits.row(0)[1] - 6e-4) < 1e-8);
        QVERIFY(std::abs(logits.row(0)[0] + 6e-4) < 1e-8);
        QVERIFY(std::abs(probe.final_loss() - std::log(2.0)) < 1e-6);
    }

    void the_same_seed_gives_the_same_probe()
    {
        std::vector<int> labels;
        const FeatureTable table = clouds(200, 1, labels);
        const LinearProbe first(table, labels, 3, quick(7)), again(table, labels, 3, quick(7)), other(table, labels, 3, quick(8));
        QCOMPARE(first(table).values, again(table).values);
        QVERIFY(first(table).values != other(table).values);
    }

    void clips_logits_are_averaged()
    {
        std::vector<int> labels;
        const FeatureTable table = clouds(60, 1, labels);
        const LinearProbe probe(table, labels, 3, quick());
        const Scores single = probe(table), pairs = probe(table, 2);
        QCOMPARE(pairs.queries, 30);
        for (int item = 0; item < 30; ++item)
            for (size_t c = 0; c < 3; ++c)
                QVERIFY(std::abs(pairs.row(item)[c] - (single.row(2 * item)[c] + single.row(2 * item + 1)[c]) / 2) < 1e-5);
    }

    void what_cannot_be_learned_from_is_refused()
    {
        QVERIFY_EXCEPTION_THROWN(LinearProbe({4, {}}, {}, 2), Error);
        const FeatureTable broken{1, {std::numeric_limits<float>::quiet_NaN()}};
        QVERIFY_EXCEPTION_THROWN(LinearProbe(broken, std::vector<int>{0}, 2), Error);
        ProbeOptions stopped;
        stopped.cancel.cancel();
        QVERIFY_EXCEPTION_THROWN(LinearProbe({1, {1.0f}}, std::vector<int>{0}, 2, stopped), Error);
    }
};

QTEST_APPLESS_MAIN(TestLinearProbe)
#include "tst_linear_probe.moc"
