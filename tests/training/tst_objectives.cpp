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
        // A teacher who says "only the diagonal" changes nothing.
        QVERIFY(std::abs(plain - nce(a, b, temperature, {at::eye(6, at::kDouble), 1000}).item<double>()) < 1e-9);
    }

    void nce_is_least_where_pairs_agree_and_symmetric()
    {
        const at::Tensor a = unit(at::randn({16, 32})), b = unit(at::randn({16, 32})), temperature = at::full({1}, 0.07);
        QVERIFY(nce(a, a, temperature).item<double>() < nce(a, b, temperature).item<double>());
        QVERIFY(std::abs(nce(a, b, temperature).item<double>() - nce(b, a, temperature).item<double>()) < 1e-5);
        QVERIFY(cosine_distance(a, a).item<double>() < 1e-5);
        QVERIFY(std::abs(cosine_distance(a, -a).item<double>() - 2) < 1e-5);
    }

    void classification_gives_the_literal_values_of_the_official_tests()
    {
        const at::Tensor labels = at::tensor({0., 1., 1., 0.}, at::kDouble).view({2, 2});
        const at::Tensor logits = at::tensor({0., 1., 0., 1.}, at::kDouble).view({2, 2});
        QVERIFY(std::abs(softmax_cross_entropy(logits, labels).item<double>() - 0.81326) < 5e-6);
        QVERIFY(std::abs(sigmoid_cross_entropy(logits, labels).item<double>() - 0.75320) < 5e-6);
    }

    void labels_may_name_several_classes_and_be_smoothed()
    {
        const at::Tensor logits = at::randn({3, 5}, at::kDouble);
        const at::Tensor several = at::tensor({1., 1., 0., 0., 0., 0., 0., 1., 0., 0., 0., 1., 0., 1., 1.}, at::kDouble).view({3, 5});
        const at::Tensor logs = at::log_softmax(logits, -1);
        const at::Tensor by_hand = -(((logs[0][0] + logs[0][1]) / 2 + logs[1][2] + (logs[2][1] + logs[2][3] + logs[2][4]) / 3) / 3);
        QVERIFY(std::abs((softmax_cross_entropy(logits, several) - by_hand).item<double>()) < 1e-9);
        // Smoothed all the way, every class is as likely as any other.
        QVERIFY(std::abs((softmax_cross_entropy(logits, several, 1.0) + logs.mean()).item<double>()) < 1e-9);
        QVERIFY(std::isfinite(sigmoid_cross_entropy(at::full({1, 2}, 800., at::kDouble), at::zeros({1, 2}, at::kDouble)).item<double>()));
    }

    void masked_losses_look_at_the_chosen_positions_alone()
    {
        const at::Tensor logits = at::randn({2, 3, 7}, at::kDouble), chosen = at::tensor({1., 0., 0., 0., 1., 0.}, at::kDouble).view({2, 3});
        const at::Tensor ids = at::tensor({4, 0, 0, 0, 6, 0}, at::kLong).view({2, 3});
        const at::Tensor logs = at::log_softmax(logits, -1);
        const double wanted = -(logs[0][0][4] + logs[1][1][6]).item<double>() / 2;
        QVERIFY(std::abs(masked_cross_entropy(logits, ids, chosen).item<double>() - wanted) < 1e-9);
        at::Tensor changed = logits.clone();
        changed[0][1] += 5;
        QCOMPARE(masked_cross_entropy(changed, ids, chosen).item<double>(), masked_cross_entropy(logits, ids, chosen).item<double>());
        QCOMPARE(masked_cross_entropy(logits, ids, at::zeros_like(chosen)).item<double>(), 0.0);
        QCOMPARE(masked_squared_error(logits, logits + 2, chosen).item<double>(), 4.0);
    }

    void gradients_agree_with_finite_differences_data()
    {
        QTest::addColumn<int>("loss");
        int row = 0;
        for (const char* name : {"nce", "nce with soft targets", "several instances", "cosine", "softmax", "sigmoid", "masked language", "masked squares"})
            QTest::newRow(name) << row++;
    }
    void gradients_agree_with_finite_differences()
    {
        QFETCH(int, loss);
        const at::Tensor other = unit(at::randn({4, 2, 6}, at::kDouble)), ids = at::tensor({1, 5, 0, 2, 2, 4, 3, 3}, at::kLong).view({4, 2});
        const at::Tensor temperature = at::full({1}, 0.3, at::kDouble), labels = (at::rand({4, 6}, at::kDouble) > 0.5).to(at::kDouble) + 0.1;
        const at::Tensor chosen = at::tensor({1., 0., 1., 1., 0., 0., 1., 0.}, at::kDouble).view({4, 2});
        const auto value = [&](const at::Tensor& x) -> at::Tensor {
            const at::Tensor flat = x.select(1, 0), against = other.select(1, 0);
            switch (loss) {
            case 0: return nce(flat, against, temperature);
            case 1:
                return nce(flat, against, temperature, {against, 5});
            case 2: return multi_instance_nce(x, other, temperature, 0.1);
            case 3: return cosine_distance(flat, against);
            case 4: return softmax_cross_entropy(flat, labels, 0.1);
            case 5: return sigmoid_cross_entropy(flat, labels, 0.1);
            case 6: return masked_cross_entropy(x, ids, chosen);
            default: return masked_squared_error(x, other, chosen);
            }
        };
        at::Tensor x = at::randn({4, 2, 6}, at::kDouble);
        x.requires_grad_(true);
        value(x).backward();
        const at::Tensor gradient = x.grad().flatten();
        at::Tensor probe = x.detach().clone();
        constexpr double kStep = 1e-5;
        for (int64_t i = 0; i < probe.numel(); ++i) {
            double* place = probe.mutable_data_ptr<double>() + i;
            const double kept = *place;
            *place = kept + kStep;
            const double above = value(probe).item<double>();
            *place = kept - kStep;
            const double below = value(probe).item<double>();
            *place = kept;
            QVERIFY2(std::abs((above - below) / (2 * kStep) - gradient[i].item<double>()) < 1e-7, qPrintable(QString::number(i)));
        }
    }

    void every_loss_and_its_gradient_run_without_memory_behind_them()
    {
        const auto meta = at::TensorOptions(at::kMeta).dtype(at::kFloat);
        const at::Tensor a = at::empty({4, 2, 6}, meta).requires_grad_(true), b = at::empty({4, 2, 6}, meta);
        const at::Tensor temperature = at::empty({1}, meta), labels = at::empty({4, 6}, meta), chosen = at::empty({4, 2}, meta);
        const at::Tensor ids = at::empty({4, 2}, meta.dtype(at::kLong)), flat = a.select(1, 0), against = b.select(1, 0);
        for (const at::Tensor& loss : {nce(flat, against, temperature), nce(flat, against, temperature, {against, 20}),
                                       multi_instance_nce(a, b, temperature, 0.1), cosine_distance(flat, against),
                                       softmax_cross_entropy(flat, labels, 0.1), sigmoid_cross_entropy(flat, labels),
                                       masked_cross_entropy(a, ids, chosen), masked_squared_error(a, b, chosen)}) {
            QVERIFY(loss.device().is_meta() && loss.dim() <= 1);
            loss.sum().backward();
            QVERIFY(a.grad().device().is_meta() && a.grad().sizes() == a.sizes());
        }
    }

    void a_teacher_says_how_alike_the_samples_of_a_batch_are()
    {
        // The first four again as the last four: of twins the teacher wants one half each.
        const at::Tensor one = unit(at::randn({4, 32}, at::kDouble)), teacher = at::cat({one, one});
        const at::Tensor targets = at::softmax(at::matmul(teacher, teacher.t()) * 50, -1);
        QVERIFY(at::allclose(targets.diagonal(), targets.diagonal(4).repeat({2})));
        const at::Tensor a = unit(at::randn({8, 16}, at::kDouble)), b = unit(at::randn({8, 16}, at::kDouble));
        const at::Tensor logits = at::matmul(a, b.t()) / 0.2, back = targets.t() / targets.sum(0).unsqueeze(-1);
        const at::Tensor wanted =
            -((targets * at::log_softmax(logits, -1)).sum() + (back * at::log_softmax(logits.t(), -1)).sum()) / 16;
        const at::Tensor found = nce(a, b, at::full({1}, 0.2, at::kDouble), {teacher, 50});
        QVERIFY(std::abs((found - wanted).item<double>()) < 1e-9);
        QVERIFY(std::abs((nce(a, b, at::full({1}, 0.2, at::kDouble), targets) - wanted).item<double>()) < 1e-9);
    }
};

QTEST_APPLESS_MAIN(TestObjectives)
#include "tst_objectives.moc"
