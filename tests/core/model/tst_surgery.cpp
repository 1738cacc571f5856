// SPDX-License-Identifier: Apache-2.0
// Upcycling and adapters: what a network computes survives the change of its structure.
#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include "core/base/error.h"
#include "core/model/checkpoint.h"
#include "core/model/network.h"
#include "core/model/surgery.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::model;

namespace {

Weights dense_weights(bool use_bias = false)
{
    ModelConfig config;
    config.width = 64;
    config.heads = 2;
    config.layers = 3;
    config.sparse_layers = 0;
    config.ffn_width = 96;
    config.head_width = 48;
    config.joint_dim = 32;
    config.vision_stem = VisionStem::Patch;
    config.patch_size = 8;
    config.vocabulary = 50;
    config.use_bias = use_bias;
    Weights weights{config, initial_parameters(config, 11)};
    for (auto& [name, tensor] : weights.parameters)
        if (name.ends_with(".bias"))
            tensor.normal_(0, 0.1);
    return weights;
}

std::vector<at::Tensor> everything(const Weights& weights)
{
    const Network network(weights.config, weights.parameters);
    at::manual_seed(5);
    return {network.encode_pixels(at::randint(0, 256, {2, 4, 32, 48, 3}, at::kByte)).vectors,
            network.encode_spectrogram(at::randn({2, 32, 128})).vectors,
            network.encode_text(at::randint(0, 50, {3, 7}, at::kLong)).vectors};
}

double furthest(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b)
{
    double most = 0;
    for (size_t i = 0; i < a.size(); ++i)
        most = std::max(most, (a[i] - b[i]).abs().max().item<double>());
    return most;
}

}  // namespace

class TestSurgery : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void experts_that_take_every_token_give_what_the_dense_network_gave_data()
    {
        QTest::addColumn<bool>("normalise");
        QTest::addColumn<bool>("use_bias");
        QTest::newRow("raw gates sum to one") << false << false;
        QTest::newRow("normalised gates") << true << false;
        QTest::newRow("with biases") << false << true;
    }
    void experts_that_take_every_token_give_what_the_dense_network_gave()
    {
        QFETCH(bool, normalise);
        QFETCH(bool, use_bias);
        const Weights dense = dense_weights(use_bias);
        UpcycleOptions options{.experts = 4, .layers = 2, .capacity_factor = 4, .normalise_gates = normalise};
        const Weights sparse = upcycle(dense, options);
        QCOMPARE(sparse.config.sparse_layers, 2);
        const double distance = furthest(everything(dense), everything(sparse));
        QVERIFY2(distance < 1e-5, qPrintable(QString::number(distance)));
    }

    void with_fewer_slots_only_the_dropped_tokens_differ()
    {
        const Weights dense = dense_weights();
        const Weights sparse = upcycle(dense, {.experts = 4, .layers = 1, .capacity_factor = 1.5});
        const int last = dense.config.layers - 1;
        at::manual_seed(6);
        const at::Tensor x = at::randn({5, 24, 64});
        Auxiliary auxiliary;
        auxiliary.probing = true;
        const at::Tensor before = Block(dense.config, dense.parameters, last).forward(x, {}, auxiliary);
        const at::Tensor after = Block(sparse.config, sparse.parameters, last).forward(x, {}, auxiliary);
        // The block without its feed-forward: what a token that no expert took must be.
        Parameters mute = dense.parameters;
        const std::string out = "encoder." + std::to_string(last) + ".ffn.out.kernel";
        mute[out] = at::zeros_like(mute[out]);
        const at::Tensor passed = Block(dense.config, mute, last).forward(x, {}, auxiliary);

        const at::Tensor same = ((after - before).abs().amax(-1) < 1e-5), left = ((after - passed).abs().amax(-1) < 1e-5);
        QVERIFY(same.logical_xor(left).all().item<bool>());
        const double share = left.to(at::kDouble).mean().item<double>();
        QVERIFY2(share > 0.02 && share < 0.9, qPrintable(QString::number(share)));
        QVERIFY(std::abs(share - auxiliary.probes.at(0).left_behind.item<double>()) < 1e-6);
    }

    void what_cannot_be_upcycled_is_refused_data()
    {
        QTest::addColumn<int>("experts");
        QTest::addColumn<int>("layers");
        QTest::addColumn<double>("capacity");
        QTest::newRow("one expert") << 1 << 1 << 1.0;
        QTest::newRow("more blocks than there are") << 4 << 4 << 1.0;
        QTest::newRow("no slots") << 4 << 1 << 0.0;
        QTest::newRow("more slots than tokens") << 4 << 1 << 5.0;
    }
    void what_cannot_be_upcycled_is_refused()
    {
        QFETCH(int, experts);
        QFETCH(int, layers);
        QFETCH(double, capacity);
        QVERIFY_THROWS_EXCEPTION(Error,
                                 upcycle(dense_weights(), {.experts = experts, .layers = layers, .capacity_factor = capacity}));
    }
    void a_mixture_is_not_upcycled_again()
    {
        const Weights sparse = upcycle(dense_weights(), {});
        QCOMPARE(sparse.config.sparse_layers, 2);  // half of three, rounded up
        QVERIFY_THROWS_EXCEPTION(Error, upcycle(sparse, {}));
    }

    void fresh_adapters_change_no_bit_and_merged_ones_no_digit()
    {
        const Weights base = upcycle(dense_weights(true), {.experts = 3, .layers = 1});
        Weights adapted = with_adapters(base, 3, 6, {"q", "k", "v", "o", "in", "out"}, 2);
        const auto before = everything(base);
        QCOMPARE(furthest(before, everything(adapted)), 0.0);
        int ups = 0;
        for (auto& [name, tensor] : adapted.parameters)
            if (name.ends_with(".lora_up")) {
                tensor.normal_(0, 0.2);
                ++ups;
            }
        QCOMPARE(ups, 6 * base.config.layers);
        const auto trained = everything(adapted);
        QVERIFY(furthest(before, trained) > 0.01);
        const Weights merged = merge_adapters(adapted);
        QVERIFY(merged.config == base.config);
        QCOMPARE(merged.parameters.size(), base.parameters.size());
        const double distance = furthest(trained, everything(merged));
        QVERIFY2(distance < 1e-5, qPrintable(QString::number(distance)));
        QVERIFY_THROWS_EXCEPTION(Error, merge_adapters(base));
        QVERIFY_THROWS_EXCEPTION(Error, with_adapters(adapted, 3, 6, {"q"}, 2));
        QVERIFY_THROWS_EXCEPTION(Error, with_adapters(base, 3, 6, {"router"}, 2));
    }

    void only_adapters_are_marked_for_fine_tuning()
    {
        const Weights adapted = with_adapters(dense_weights(), 2, 4, {"q", "v"}, 1);
        int64_t count = 0;
        for (const auto& spec : parameter_specs(adapted.config))
            if (spec.adapter)
                count += spec.count();
        QCOMPARE(count, int64_t{3 * 2 * 2 * (64 + 64)});
        QCOMPARE(encoder_count(adapted.config).all, encoder_count(dense_weights().config).all);
    }

    void adapters_alone_learn_and_can_be_merged_afterwards()
    {
        const Weights base = upcycle(dense_weights(), {.experts = 3, .layers = 1});
        Weights adapted = with_adapters(base, 4, 8, {"q", "v", "in", "out"}, 3);
        std::vector<at::Tensor> learn;
        for (const auto& spec : parameter_specs(adapted.config))
            if (spec.adapter)
                learn.push_back(adapted.parameters.at(spec.name).requires_grad_(true));
        at::manual_seed(8);
        const at::Tensor ids = at::randint(0, 50, {12, 7}, at::kLong), wanted = at::randn({12, 32});
        const Network network(adapted.config, adapted.parameters);
        const auto loss = [&](const Network& net) {
            return (net.encode_text(ids).vectors - wanted / wanted.norm(2, {-1}, true)).square().mean();
        };
        const double before = loss(network).item<double>();
        for (int step = 0; step < 20; ++step) {
            loss(network).backward();
            for (at::Tensor& parameter : learn) {
                parameter.data().sub_(parameter.grad() * 20);
                parameter.mutable_grad().reset();
            }
        }
        const double after = loss(network).item<double>();
        QVERIFY2(after < 0.9 * before, qPrintable(QString("%1 → %2").arg(before).arg(after)));
        for (const auto& [name, tensor] : base.parameters)
            QVERIFY2(at::equal(adapted.parameters.at(name), tensor), name.c_str());
        const Weights merged = merge_adapters(adapted);
        QVERIFY(std::abs(loss(Network(merged.config, merged.parameters)).item<double>() - after) < 1e-6);
    }

    void a_dense_checkpoint_becomes_a_sparse_one_on_disk()
    {
        QTemporaryDir dir;
        const std::filesystem::path root = dir.path().toStdString();
        const auto in = tests::make_tiny_checkpoint(root, 1, "identity", false), out = root / "sparse.safetensors";
        upcycle_checkpoint(in, out, {.experts = 3, .layers = 1, .capacity_factor = 3});
        const Checkpoint dense = load_checkpoint(SafetensorsFile(in)), sparse = load_checkpoint(SafetensorsFile(out));
        QCOMPARE(sparse.config.experts, 3);
        QCOMPARE(sparse.provenance.at("upcycled_from").at("file").get<std::string>(), in.filename().string());
        QCOMPARE(sparse.tokenizer, dense.tokenizer);
        QVERIFY(at::equal(sparse.text_bank, dense.text_bank));
        const at::Tensor ids = at::randint(0, 80, {4, 6}, at::kLong);
        const at::Tensor before = Network(dense.config, dense.parameters).encode_text(ids).vectors;
        QVERIFY(at::allclose(Network(sparse.config, sparse.parameters).encode_text(ids).vectors, before, 0, 1e-5));
        QVERIFY_THROWS_EXCEPTION(Error, upcycle_checkpoint(out, root / "again.safetensors", {}));
        QVERIFY_THROWS_EXCEPTION(Error, merge_checkpoint(in, root / "merged.safetensors"));
        QVERIFY(!std::filesystem::exists(root / "again.safetensors"));
    }
};

QTEST_APPLESS_MAIN(TestSurgery)
#include "tst_surgery.moc"
