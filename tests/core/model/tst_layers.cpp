// SPDX-License-Identifier: Apache-2.0
// Routing and norms against values computed outside this project (imp_method.md section 9).
#include <ATen/ATen.h>
#include <QTest>

#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/layers.h"

using namespace imprint;
using namespace imprint::model;

namespace {

nlohmann::json reference()
{
    std::ifstream in(IMPRINT_SOURCE_DIR "/tests/data/reference/router_vectors.json");
    return nlohmann::json::parse(in);
}

at::Tensor tensor(const nlohmann::json& json)
{
    std::vector<double> values;
    std::vector<int64_t> shape;
    for (const nlohmann::json* level = &json; level->is_array(); level = &level->front())
        shape.push_back(static_cast<int64_t>(level->size()));
    const std::function<void(const nlohmann::json&)> collect = [&](const nlohmann::json& node) {
        if (node.is_array())
            for (const auto& child : node)
                collect(child);
        else
            values.push_back(node.get<double>());
    };
    collect(json);
    return at::tensor(values, at::kDouble).to(at::kFloat).view(shape);
}

}  // namespace

class TestLayers : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void routing_gives_the_reference_probabilities_and_z_loss_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("inputs");
        for (const char* name : {"experts_choose_E2_cap2", "tokens_choose_masked_top1_E2_cap1", "tokens_choose_masked_top2_E3_cap1",
                                 "tokens_choose_scatter_top1_E4_cap2", "ignore_padding_E2_cap1"})
            QTest::newRow(name) << name << "inputs_after_jitter";
    }
    void routing_gives_the_reference_probabilities_and_z_loss()
    {
        QFETCH(QString, name);
        QFETCH(QString, inputs);
        const auto entry = reference().at(name.toStdString());
        const at::Tensor x = tensor(entry.at(inputs.toStdString())), kernel = tensor(entry.at("kernel")).t().contiguous();
        const at::Tensor wanted = tensor(entry.at("probs_float32"));  // [groups, tokens, experts]
        const auto routing = route_experts_choice(x, kernel, x.size(1));
        // With a slot for every token the gates are the probabilities, in each expert's own order.
        const at::Tensor found = at::zeros_like(routing.gates).scatter(-1, routing.slots, routing.gates).transpose(1, 2);
        QVERIFY2(at::allclose(found, wanted, 0, 2e-6), name.toUtf8());
        if (name != "ignore_padding_E2_cap1")
            QVERIFY(std::abs(routing.z_loss.item<double>() - entry.at("z_float32").get<double>()) < 2e-5);
    }

    void experts_choose_the_tokens_of_the_fp32_reference()
    {
        const auto entry = reference().at("experts_choose_E2_cap2");
        const auto routing = route_experts_choice(tensor(entry.at("inputs")), tensor(entry.at("kernel")).t().contiguous(), 2);
        const at::Tensor wanted = at::tensor({2, 0, 3, 1, 0, 1, 3, 2}, at::kLong).view({2, 2, 2});
        QVERIFY(at::equal(routing.slots, wanted));
    }

    void equal_probabilities_go_to_the_lower_token()
    {
        const auto routing = route_experts_choice(at::ones({1, 7, 4}), at::ones({3, 4}), 4);
        QVERIFY(at::equal(routing.slots, at::arange(4, at::kLong).expand({1, 3, 4})));
    }

    void the_z_loss_is_the_official_one()
    {
        const auto entry = reference().at("z_loss_only");
        // With the identity as its kernel a router's inputs are its logits.
        const auto routing = route_experts_choice(tensor(entry.at("logits")), at::eye(4), 1);
        QVERIFY(std::abs(routing.z_loss.item<double>() - entry.at("official").get<double>()) < 1e-5);
    }
    void the_balance_loss_is_the_official_one()
    {
        const auto entry = reference().at("load_balance_only");
        const at::Tensor claims = at::one_hot(tensor(entry.at("indices")).to(at::kLong).view({1, 5}), 2).sum(1);
        const double found = balance_loss(tensor(entry.at("probs")).unsqueeze(0), claims).item<double>();
        QVERIFY2(std::abs(found - entry.at("official").get<double>()) < 1e-6, qPrintable(QString::number(found, 'g', 9)));
    }

    void tokens_choose_what_the_reference_lets_them_data()
    {
        QTest::addColumn<int>("top_k");
        QTest::addColumn<int>("capacity");
        QTest::addColumn<bool>("priority");
        QTest::addColumn<QString>("slots");  // per group "/", per expert "|"; "-" is an empty slot
        // First choices of the fp32 probabilities: see imp_method.md section 9 for where bf16's differ.
        QTest::newRow("tokens_choose_masked_top1_E2_cap1") << 1 << 1 << false << "0|1/0|1";
        QTest::newRow("tokens_choose_masked_top2_E3_cap1") << 2 << 1 << false << "0|1|0/0|0|1";
        QTest::newRow("tokens_choose_scatter_top1_E4_cap2") << 1 << 2 << false << "- -|- -|0 2|1 -/- -|- -|- -|0 1";
    }
    void tokens_choose_what_the_reference_lets_them()
    {
        QFETCH(int, top_k);
        QFETCH(int, capacity);
        QFETCH(bool, priority);
        QFETCH(QString, slots);
        const auto entry = reference().at(QTest::currentDataTag());
        const at::Tensor x = tensor(entry.at("inputs_after_jitter")), kernel = tensor(entry.at("kernel")).t().contiguous();
        const auto routing = route_tokens_choice(x, kernel, capacity, top_k, priority);
        const at::Tensor probabilities = tensor(entry.at("probs_float32"));
        QStringList groups;
        for (int64_t g = 0; g < routing.slots.size(0); ++g) {
            QStringList experts;
            for (int64_t e = 0; e < routing.slots.size(1); ++e) {
                QStringList held;
                for (int64_t s = 0; s < capacity; ++s) {
                    const bool filled = routing.slots[g][e][s].item<int64_t>() >= 0;
                    const auto token = routing.slots[g][e][s].item<int64_t>();
                    held += filled ? QString::number(token) : "-";
                    const double gate = routing.gates[g][e][s].item<double>();
                    QVERIFY(std::abs(gate - (filled ? probabilities[g][token][e].item<double>() : 0)) < 2e-6);
                }
                experts += held.join(' ');
            }
            groups += experts.join('|');
        }
        QCOMPARE(groups.join('/'), slots);
        QVERIFY(std::abs(routing.z_loss.item<double>() - entry.at("z_float32").get<double>()) < 2e-5);
    }

    void probes_tell_what_a_router_did()
    {
        // Six tokens, two experts: the first four prefer expert 0 more and more, the last two prefer expert 1.
        const at::Tensor logits = at::tensor({1., 2., 3., 4., -1., -2.}).unsqueeze(-1) * at::tensor({1., 0.});
        const at::Tensor x = logits.to(at::kFloat).unsqueeze(0), kernel = at::eye(2);
        const auto choice = probe(route_experts_choice(x, kernel, 2), 6, 7);
        QCOMPARE(choice.layer, 7);
        QVERIFY(at::equal(choice.expert_use, at::ones({2})));
        QVERIFY(std::abs(choice.left_behind.item<double>() - 2.0 / 6) < 1e-6);  // tokens 0 and 1
        const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
        const double own = sigmoid(3) + sigmoid(4), other = sigmoid(1) + sigmoid(2);
        QVERIFY(std::abs(choice.confidence.item<double>() - (own + other) / 4) < 1e-6);
        QVERIFY(std::abs(choice.expert_weight[0].item<double>() - own / (own + other)) < 1e-6);
        const auto asked = probe(route_tokens_choice(x, kernel, 3, 1, false), 6, 0);
        QVERIFY(at::allclose(asked.expert_use, at::tensor({1.0f, 2.0f / 3})));
        QVERIFY(std::abs(asked.left_behind.item<double>() - 1.0 / 6) < 1e-6);  // token 3 came last
        QVERIFY(asked.balance_loss.item<double>() > 1);
    }

    void capacity_rounds_half_to_even_and_keeps_its_bounds_data()
    {
        QTest::addColumn<int>("tokens");
        QTest::addColumn<int>("experts");
        QTest::addColumn<int>("least");
        QTest::addColumn<int>("capacity");
        QTest::newRow("even share") << 64 << 4 << 1 << 16;
        QTest::newRow("half down to even") << 10 << 4 << 1 << 2;
        QTest::newRow("half up to even") << 14 << 4 << 1 << 4;
        QTest::newRow("a short text still meets every expert") << 1 << 16 << 1 << 1;
        QTest::newRow("the paper's code drops it") << 1 << 16 << 0 << 0;
        QTest::newRow("never more than the tokens") << 2 << 1 << 5 << 2;
    }
    void capacity_rounds_half_to_even_and_keeps_its_bounds()
    {
        QFETCH(int, tokens);
        QFETCH(int, experts);
        QFETCH(int, least);
        QFETCH(int, capacity);
        ModelConfig config;
        config.experts = experts;
        config.min_capacity = least;
        QCOMPARE(expert_capacity(tokens, config), int64_t{capacity});
    }

    void batch_groups_follow_the_papers_rule_data()
    {
        QTest::addColumn<qint64>("tokens");
        QTest::addColumn<int>("experts");
        QTest::addColumn<qint64>("groups");
        QTest::newRow("8192 images") << qint64{8192} * 256 << 16 << qint64{1024};
        QTest::newRow("64 spectrograms") << qint64{64} * 64 << 4 << qint64{4};
        QTest::newRow("one text") << qint64{16} << 16 << qint64{16};
    }
    void batch_groups_follow_the_papers_rule()
    {
        QFETCH(qint64, tokens);
        QFETCH(int, experts);
        QFETCH(qint64, groups);
        ModelConfig config;
        config.experts = experts;
        QCOMPARE(qint64{batch_groups(tokens, config)}, groups);
    }
    void tokens_that_cannot_be_grouped_are_refused()
    {
        ModelConfig config;
        config.experts = 16;
        QVERIFY_THROWS_EXCEPTION(Error, batch_groups(17, config));
    }

    void a_block_routes_every_item_by_itself()
    {
        ModelConfig config;
        config.width = 64;
        config.heads = 1;
        config.layers = 1;
        config.sparse_layers = 1;
        config.experts = 3;
        config.ffn_width = 96;
        const auto parameters = initial_parameters(config, 5);
        const Block block(config, parameters, 0);
        const at::Tensor items = at::randn({4, 11, 64});
        Auxiliary auxiliary;
        const at::Tensor together = block.forward(items, {}, auxiliary);
        for (int64_t i = 0; i < 4; ++i) {
            Auxiliary own;
            QVERIFY(at::allclose(block.forward(items.narrow(0, i, 1), {}, own)[0], together[i], 1e-5, 1e-6));
        }
        QVERIFY(auxiliary.z_loss.item<double>() > 0);
    }

    void combining_adds_each_experts_output_by_its_probability_data()
    {
        QTest::addColumn<int>("tokens");
        QTest::addColumn<bool>("normalise");
        QTest::newRow("few: by one-hot products") << 9 << false;
        QTest::newRow("many: by operators") << 270 << false;
        QTest::newRow("few, gates normalised") << 9 << true;
        QTest::newRow("many, gates normalised") << 270 << true;
    }
    void combining_adds_each_experts_output_by_its_probability()
    {
        QFETCH(int, tokens);
        QFETCH(bool, normalise);
        const int64_t capacity = tokens / 3;
        // The sparse feed-forward against a loop over experts and slots, written from section 2 of the method.
        ModelConfig config;
        config.width = 64;
        config.heads = 1;
        config.layers = 1;
        config.sparse_layers = 1;
        config.experts = 3;
        config.ffn_width = 80;
        config.normalise_gates = normalise;
        auto parameters = initial_parameters(config, 6);
        parameters["encoder.0.attention.o.kernel"].zero_();  // leaves the feed-forward alone with the residual
        const Block block(config, parameters, 0);
        const at::Tensor x = at::randn({2, tokens, 64});
        Auxiliary auxiliary;
        const at::Tensor found = block.forward(x, {}, auxiliary) - x;

        const at::Tensor normed = layer_norm(x, parameters["encoder.0.ffn.norm.scale"], {});
        const auto routing = route_experts_choice(normed, parameters["encoder.0.ffn.router.kernel"], capacity);
        at::Tensor wanted = at::zeros_like(x), sums = at::zeros({2, tokens, 1});
        for (int64_t item = 0; item < 2; ++item)
            for (int64_t expert = 0; expert < 3; ++expert)
                for (int64_t slot = 0; slot < capacity; ++slot) {
                    const auto token = routing.slots[item][expert][slot].item<int64_t>();
                    const at::Tensor hidden = at::gelu(at::matmul(normed[item][token], parameters["encoder.0.ffn.in.kernel"][expert]), "tanh");
                    sums[item][token] += routing.gates[item][expert][slot];
                    wanted[item][token] += routing.gates[item][expert][slot] * at::matmul(hidden, parameters["encoder.0.ffn.out.kernel"][expert]);
                }
        if (normalise)
            wanted = wanted / sums.clamp_min(1e-9);
        QVERIFY(at::allclose(found, wanted, 1e-4, 1e-5));
    }
};

QTEST_APPLESS_MAIN(TestLayers)
#include "tst_layers.moc"
