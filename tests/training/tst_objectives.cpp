// SPDX-License-Identifier: Apache-2.0
// Losses against values computed outside this project, and their defining properties.
#include <ATen/ATen.h>
#include <QTest>

#include <fstream>

#include <nlohmann/json.hpp>

#include "training/objectives.h"

using namespace imprint::training;

namespace {

nlohmann::json reference()
{
    std::ifstream in(IMPRINT_SOURCE_DIR "/tests/data/reference/nce_vectors.json");
    return nlohmann::json::parse(in);
}

at::Tensor tensor(const nlohmann::json& json)
{
    std::vector<double> values;
    for (const auto& sample : json)
        for (const auto& instance : sample)
            for (const auto& value : instance)
                values.push_back(value.get<double>());
    const auto samples = static_cast<int64_t>(json.size()), instances = static_cast<int64_t>(json[0].size());
    return at::tensor(values, at::kDouble).view({samples, instances, -1});
}

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, {-1}, true); }

}  // namespace

class TestObjectives : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void multi_instance_nce_equals_the_reference_data()
    {
        QTest::addColumn<QString>("a");
        QTest::addColumn<QString>("b");
        for (const char* pair : {"spectrogram text", "spectrogram vision", "spectrogram waveform", "text vision", "text waveform", "vision waveform"}) {
            const auto names = QString(pair).split(' ');
            QTest::newRow(pair) << names[0] << names[1];
        }
    }
    void multi_instance_nce_equals_the_reference()
    {
        QFETCH(QString, a);
        QFETCH(QString, b);
        const auto json = reference();
        const auto& data = json.at("data");
        const auto& both = json.at("float64_result").at("per_pair").at((a + "->" + b).toStdString());
        // The reference's per-pair values carry the pair's weight.
        const double weight = json.at("weights").at((a + "|" + b).toStdString()).get<double>();
        const double wanted = (both[0].get<double>() + both[1].get<double>()) / 2 / weight;
        const at::Tensor temperature = at::full({1}, json.at("temperature").get<double>() + 1e-6, at::kDouble);
        const double found = multi_instance_nce(tensor(data.at(a.toStdString()).at(b.toStdString())), tensor(data.at(b.toStdString()).at(a.toStdString())),
                                                temperature, json.at("margin").get<double>()).item<double>();
        QVERIFY2(std::abs(found - wanted) < 1e-6 * wanted, qPrintable(QString("%1 against %2").arg(found, 0, 'g', 12).arg(wanted, 0, 'g', 12)));
    }

    void all_pairs_add_up_to_the_reference_total()
    {
        const auto json = reference();
        const auto& data = json.at("data");
        const at::Tensor temperature = at::full({1}, 0.01 + 1e-6, at::kDouble);
        double total = 0;
        for (const auto& [pair, weight] : json.at("weights").items()) {
            const auto bar = pair.find('|');
            const std::string a = pair.substr(0, bar), b = pair.substr(bar + 1);
            total += weight.get<double>() * multi_instance_nce(tensor(data.at(a).at(b)), tensor(data.at(b).at(a)), temperature, 0.01).item<double>();
        }
        const double wanted = json.at("float64_result").at("total").get<double>();
        const double pairs = static_cast<double>(json.at("weights").size());
        QVERIFY2(std::abs(total / pairs - wanted) < 1e-6 * wanted, qPrintable(QString::number(total / pairs, 'g', 12)));
    }

    void one_instance_is_the_plain_form()
    {
        const at::Tensor a = unit(at::randn({6, 8}, at::kDouble)), b = unit(at::randn({6, 8}, at::kDouble));
        const at::Tensor temperature = at::full({1}, 0.07, at::kDouble);
        const double plain = nce(a, b, temperature).item<double>();
        QVERIFY(std::abs(plain - multi_instance_nce(a.unsqueeze(1), b.unsqueeze(1), temperature).item<double>()) < 1e-4);
        // Soft targets that say "only the diagonal" change nothing.
        QVERIFY(std::abs(plain - nce(a, b, temperature, at::eye(6, at::kDouble)).item<double>()) < 1e-9);
    }

    void nce_is_least_where_pairs_agree_and_symmetric()
    {
        const at::Tensor a = unit(at::randn({16, 32})), b = unit(at::randn({16, 32})), temperature = at::full({1}, 0.07);
        QVERIFY(nce(a, a, temperature).item<double>() < nce(a, b, temperature).item<double>());
        QVERIFY(std::abs(nce(a, b, temperature).item<double>() - nce(b, a, temperature).item<double>()) < 1e-5);
        QVERIFY(cosine_distance(a, a).item<double>() < 1e-5);
        QVERIFY(std::abs(cosine_distance(a, -a).item<double>() - 2) < 1e-5);
    }

    void soft_targets_are_distributions_that_know_twins()
    {
        const at::Tensor one = unit(at::randn({4, 32}));
        const at::Tensor targets = soft_targets(at::cat({one, one}), 50);
        QVERIFY(at::allclose(targets.sum(-1), at::ones({8})));
        for (int64_t i = 0; i < 4; ++i)
            QVERIFY(std::abs(targets[i][i].item<double>() - targets[i][i + 4].item<double>()) < 1e-5);
    }
};

QTEST_APPLESS_MAIN(TestObjectives)
#include "tst_objectives.moc"
