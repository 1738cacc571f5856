// SPDX-License-Identifier: Apache-2.0
// The linear layer over a few examples: it is the optimum it claims to be, counts classes alike, and knows what it has not seen.
#include <QTest>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "core/base/error.h"
#include "training/draws.h"
#include "training/finetune/class_probe.h"

using namespace imprint;
using namespace imprint::training;

namespace {

constexpr int kDim = 24;

/// Unit vectors around one centre a class, the further apart the smaller `noise`.
ProbeExamples around_centres(const std::vector<int>& counts, double noise, uint64_t seed = 1)
{
    ProbeExamples examples{static_cast<int>(counts.size()), {kDim, {}}, {}};
    int group = 0;
    for (size_t label = 0; label < counts.size(); ++label)
        for (int i = 0; i < counts[label]; ++i, ++group) {
            Draws draws(seed, label, static_cast<uint64_t>(i) + 1);
            std::vector<float> row(kDim);
            double length = 0;
            for (int d = 0; d < kDim; ++d) {
                const double value = (d == static_cast<int>(label) ? 1 : 0) + noise * draws.between(-1, 1);
                row[static_cast<size_t>(d)] = static_cast<float>(value);
                length += value * value;
            }
            for (float& value : row)
                value = static_cast<float>(value / std::sqrt(length));
            examples.vectors.append(row);
            examples.labels.push_back({static_cast<int>(label), group});
        }
    return examples;
}

int answer(const ClassProbe& probe, std::span<const float> vector)
{
    const auto probabilities = probe.probabilities(vector);
    return static_cast<int>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
}

double right(const ClassProbe& probe, const ProbeExamples& examples)
{
    int count = 0;
    for (int i = 0; i < examples.vectors.count(); ++i)
        count += answer(probe, examples.vectors.row(i)) == examples.labels[static_cast<size_t>(i)].label;
    return static_cast<double>(count) / examples.vectors.count();
}

}  // namespace

class TestClassProbe : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_group_lies_in_one_part_and_every_class_in_all_data()
    {
        QTest::addColumn<int>("each");
        QTest::addColumn<int>("parts");
        QTest::newRow("three examples a class") << 3 << 3;
        QTest::newRow("as many as parts") << 5 << 5;
        QTest::newRow("many") << 23 << 4;
        QTest::newRow("fewer than parts") << 2 << 5;
    }
    void a_group_lies_in_one_part_and_every_class_in_all()
    {
        QFETCH(int, each);
        QFETCH(int, parts);
        std::vector<LabelledGroup> examples;
        for (int label = 0; label < 3; ++label)
            for (int i = 0; i < each; ++i)
                for (int moment = 0; moment < 1 + i % 3; ++moment)
                    examples.push_back({label, label * each + i});
        const std::vector<int> part = stratified_parts(examples, parts, 7);
        QCOMPARE(part, stratified_parts(examples, parts, 7));
        std::map<int, std::set<int>> parts_of_group;
        std::map<std::pair<int, int>, std::set<int>> groups;  // by class and part
        for (size_t i = 0; i < examples.size(); ++i) {
            parts_of_group[examples[i].group].insert(part[i]);
            groups[{examples[i].label, part[i]}].insert(examples[i].group);
        }
        for (const auto& [group, in] : parts_of_group)
            QCOMPARE(in.size(), size_t(1));
        for (int label = 0; label < 3; ++label)
            for (int p = 0; p < parts; ++p) {
                const auto held = static_cast<int>(groups[{label, p}].size());
                QVERIFY(held == each / parts || held == each / parts + 1);
                QVERIFY(p > 0 || held >= 1);
            }
    }

    void few_examples_of_each_class_are_enough_where_classes_lie_apart_data()
    {
        QTest::addColumn<int>("each");
        QTest::newRow("three") << 3;
        QTest::newRow("five") << 5;
        QTest::newRow("twenty") << 20;
    }
    void few_examples_of_each_class_are_enough_where_classes_lie_apart()
    {
        QFETCH(int, each);
        const FittedProbe fitted = fit_probe(around_centres({each, each, each, each}, 0.2), 1);
        QVERIFY(right(fitted.probe, around_centres({50, 50, 50, 50}, 0.2, 9)) > 0.97);
        QVERIFY(fitted.loss < std::log(4.0) / 2);
    }

    /// At the optimum no small change of the layer lowers what is minimised.
    void it_is_the_optimum()
    {
        const ProbeExamples examples = around_centres({6, 9, 4}, 0.6);
        constexpr double kPenalty = 0.01;
        const ClassProbe found = fit_probe_with(examples, kPenalty);
        // The penalty counts on the scale of the vectors' greatest deviation, which a second fit at another length tells: twice
        // as long vectors, half the weights, the same answers.
        ProbeExamples longer = examples;
        for (float& value : longer.vectors.values)
            value *= 2;
        const ClassProbe same = fit_probe_with(longer, kPenalty);
        for (int i = 0; i < examples.vectors.count(); ++i) {
            const auto a = found.probabilities(examples.vectors.row(i)), b = same.probabilities(longer.vectors.row(i));
            for (size_t label = 0; label < a.size(); ++label)
                QVERIFY(std::abs(a[label] - b[label]) < 1e-4);
        }
        // The bias is free: each class, counted alike, is expected as often as it is there.
        const std::vector<int> counts = {6, 9, 4};
        std::vector<double> expected(4, 0);
        for (int i = 0; i < examples.vectors.count(); ++i) {
            const auto p = found.probabilities(examples.vectors.row(i));
            const double weight = 1.0 / (3 * counts[static_cast<size_t>(examples.labels[static_cast<size_t>(i)].label)]);
            for (size_t label = 0; label < p.size(); ++label)
                expected[label] += weight * p[label];
        }
        for (size_t label = 0; label < 3; ++label)
            QVERIFY2(std::abs(expected[label] - 1.0 / 3) < 1e-4, qPrintable(QString::number(expected[label], 'g', 8)));
    }

    void a_rare_class_is_not_drowned_by_a_common_one()
    {
        const FittedProbe fitted = fit_probe(around_centres({3, 200}, 0.5), 1);
        const ProbeExamples rare = around_centres({100, 0}, 0.5, 5);
        QVERIFY2(right(fitted.probe, rare) > 0.8, qPrintable(QString::number(right(fitted.probe, rare))));
    }

    void classes_without_examples_are_never_answered()
    {
        ProbeExamples examples = around_centres({5, 5}, 0.2);
        examples.classes = 4;
        for (auto& one : examples.labels)
            one.label += one.label;  // 0 and 2
        const ClassProbe probe = fit_probe(examples, 1).probe;
        QCOMPARE(probe.classes(), 4);
        for (int i = 0; i < examples.vectors.count(); ++i) {
            const auto p = probe.probabilities(examples.vectors.row(i));
            QVERIFY(p[1] < 1e-9 && p[3] < 1e-9 && p[4] < 1e-9);
            QVERIFY(std::abs(std::accumulate(p.begin(), p.end(), 0.0) - 1) < 1e-9);
        }
    }

    void noise_is_met_with_a_greater_penalty()
    {
        const double clear = fit_probe(around_centres({20, 20, 20}, 0.1), 1).penalty;
        const double noisy = fit_probe(around_centres({20, 20, 20}, 3), 1).penalty;
        QVERIFY2(noisy > clear, qPrintable(QString("%1 %2").arg(noisy).arg(clear)));
    }

    void one_class_alone_is_refused()
    {
        QVERIFY_THROWS_EXCEPTION(Error, fit_probe(around_centres({5, 0}, 0.2), 1));
        ProbeExamples beside_none = around_centres({5, 5}, 0.2);
        beside_none.classes = 1;  // the second is none
        QCOMPARE(right(fit_probe(beside_none, 1).probe, beside_none), 1.0);
    }
};

QTEST_GUILESS_MAIN(TestClassProbe)
#include "tst_class_probe.moc"
