// SPDX-License-Identifier: Apache-2.0
// A network's own form of the trunk's last stages: the trunk itself at first, then what its matrices learn.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <QTest>

#include "core/model/network.h"
#include "core/model/trunk.h"
#include "core/model/trunk_tail.h"
#include "tests/core/model/narrow_trunk.h"

using namespace imprint;
using namespace imprint::model;

namespace {

ModelConfig config_with_tail()
{
    ModelConfig config;
    config.width = 64;
    config.layers = 2;
    config.heads = 1;
    config.ffn_width = 96;
    config.sparse_layers = 1;
    config.experts = 3;
    config.head_width = 48;
    config.joint_dim = 32;
    config.trunk_classes = 10;
    config.vocabulary = 80;
    config.vision_shortcut = 16;
    config.vision_change = true;
    config.vision_tail_rank = 4;
    config.vision_tail_widths = {32, 48, 80};
    return config;
}

Parameters parameters_of(const ModelConfig& config)
{
    Parameters parameters = initial_parameters(config, 3);
    take_trunk(parameters, config, tests::narrow_parameters());
    return parameters;
}

/// As if it had learned something.
void move(Parameters& parameters)
{
    at::manual_seed(5);
    for (auto& [name, tensor] : parameters)
        if (name.starts_with("vision.tail."))
            tensor = tensor + at::randn_like(tensor) * 0.05;
}

const Trunk& trunk()
{
    static const auto parameters = tests::narrow_parameters();
    static const Trunk made([](const std::string& name) { return parameters.at(name); });
    return made;
}

at::Tensor pictures(int64_t count, int64_t height, int64_t width)
{
    at::manual_seed(7);
    return at::randint(0, 256, {count, height, width, 3}, at::kByte);
}

/// The stages by libtorch's own convolutions, with the matrices added up beforehand. fp64.
at::Tensor by_convolutions(const ModelConfig& config, const Parameters& parameters, const at::Tensor& middle)
{
    const auto pointwise = [&](const at::Tensor& x, const std::string& name) {
        const auto own = [&](const char* part) { return parameters.at("vision.tail." + name + part).to(at::kDouble); };
        const at::Tensor weight =
            parameters.at("trunk." + name + ".weight").to(at::kDouble) + at::matmul(own(".up"), own(".down"));
        const at::Tensor bias = parameters.at("trunk." + name + ".bias").to(at::kDouble) + own(".bias");
        return at::conv2d(x, weight.unsqueeze(-1).unsqueeze(-1), bias);
    };
    at::Tensor x = middle.to(at::kDouble).permute({0, 3, 1, 2});
    for (const TailBlock& block : tail_blocks(config)) {
        at::Tensor y = pointwise(x, block.name + "expand").clamp(0, 6);
        const auto padding = [&](int64_t in) {
            return std::max<int64_t>(((in + block.stride - 1) / block.stride - 1) * block.stride + block.kernel - in, 0);
        };
        const int64_t down = padding(y.size(2)), across = padding(y.size(3));
        y = at::constant_pad_nd(y, {across / 2, across - across / 2, down / 2, down - down / 2});
        const at::Tensor filter = parameters.at("trunk." + block.name + "depthwise.weight").to(at::kDouble);
        y = at::conv2d(y, filter.permute({2, 0, 1}).unsqueeze(1),
                       parameters.at("trunk." + block.name + "depthwise.bias").to(at::kDouble), block.stride, at::IntArrayRef{0},
                       1, y.size(1))
                .clamp(0, 6);
        y = pointwise(y, block.name + "project");
        x = block.residual ? x + y : y;
    }
    return pointwise(x, "head").clamp(0, 6).permute({0, 2, 3, 1});
}

}  // namespace

class TestTrunkTail : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void before_it_learns_it_is_the_trunk_data()
    {
        QTest::addColumn<int>("height");
        QTest::addColumn<int>("width");
        QTest::newRow("a square") << 64 << 64;
        QTest::newRow("odd maps") << 96 << 160;
    }
    void before_it_learns_it_is_the_trunk()
    {
        QFETCH(int, height);
        QFETCH(int, width);
        const auto config = config_with_tail();
        const auto seen = trunk().forward(pictures(3, height, width), true);
        QCOMPARE(seen.middle.sizes().vec(), (std::vector<int64_t>{3, height / 16, width / 16, 32}));
        const at::Tensor last = TrunkTail(config, parameters_of(config)).forward(seen.middle, {});
        QCOMPARE(last.sizes().vec(), seen.map.sizes().vec());
        QVERIFY(at::allclose(last, seen.map, 1e-4, 1e-4));
    }

    void the_trunk_gives_the_same_map_whether_or_not_its_middle_is_asked_for()
    {
        const auto with = trunk().forward(pictures(2, 64, 64), true), without = trunk().forward(pictures(2, 64, 64));
        QVERIFY(at::equal(with.map, without.map) && at::equal(with.logits, without.logits));
        QVERIFY(!without.middle.defined());
        QVERIFY(with.for_network().is_same(with.middle) && without.for_network().is_same(without.map));
    }

    void what_it_learned_is_added_to_the_trunks_matrices()
    {
        const auto config = config_with_tail();
        Parameters parameters = parameters_of(config);
        move(parameters);
        const at::Tensor middle = trunk().forward(pictures(2, 64, 96), true).middle;
        const at::Tensor last = TrunkTail(config, parameters).forward(middle, {});
        QVERIFY(at::allclose(last.to(at::kDouble), by_convolutions(config, parameters, middle), 1e-4, 1e-4));
        QVERIFY(!at::allclose(last, trunk().forward(pictures(2, 64, 96)).map, 1e-2, 1e-2));
    }

    void gradients_are_those_of_the_convolutions()
    {
        const auto config = config_with_tail();
        Parameters parameters = parameters_of(config);
        move(parameters);
        const at::Tensor middle = trunk().forward(pictures(2, 64, 64), true).middle.clone().requires_grad_(true);
        std::vector<std::string> learning;
        for (auto& [name, tensor] : parameters)
            if (name.starts_with("vision.tail.")) {
                tensor = tensor.detach().requires_grad_(true);
                learning.push_back(name);
            }
        const at::Tensor wanted_map = by_convolutions(config, parameters, middle);
        const at::Tensor slope = at::randn(wanted_map.sizes(), at::kDouble);
        (wanted_map * slope).sum().backward();
        std::map<std::string, at::Tensor> wanted{{"middle", middle.grad().clone()}};
        middle.mutable_grad().reset();
        for (const auto& name : learning) {
            wanted[name] = parameters.at(name).grad().clone();
            parameters.at(name).mutable_grad().reset();
        }
        (TrunkTail(config, parameters).forward(middle, {}) * slope.to(at::kFloat)).sum().backward();
        const auto near = [&](const std::string& name, const at::Tensor& found) {
            const double scale = wanted.at(name).abs().max().item<double>();
            QVERIFY2(scale > 0 && (found - wanted.at(name)).abs().max().item<double>() < 1e-4 * scale, name.c_str());
        };
        near("middle", middle.grad());
        for (const auto& name : learning)
            near(name, parameters.at(name).grad());
    }

    void merged_it_is_the_same_to_rounding()
    {
        const auto config = config_with_tail();
        Parameters parameters = parameters_of(config);
        move(parameters);
        const at::Tensor middle = trunk().forward(pictures(2, 64, 96), true).middle;
        const TrunkTail tail(config, parameters), merged = tail.merged(at::kFloat);
        QVERIFY(at::allclose(merged.forward(middle, {}), tail.forward(middle, {}), 1e-5, 1e-5));
        // In half the bits it is as near to the exact map as before.
        const auto error = [&](const TrunkTail& coarse) {
            return (coarse.forward(middle, {at::kBFloat16}) - tail.forward(middle, {})).abs().mean().item<double>();
        };
        QVERIFY(error(tail.merged(at::kBFloat16)) < 1.25 * error(tail));
    }

    void what_learns_is_not_merged()
    {
        const auto config = config_with_tail();
        Parameters parameters = parameters_of(config);
        move(parameters);
        for (auto& [name, tensor] : parameters)
            if (name.starts_with("vision.tail."))
                tensor = tensor.detach().requires_grad_(true);
        const at::Tensor middle = trunk().forward(pictures(1, 64, 64), true).middle;
        const TrunkTail tail(config, parameters);
        QVERIFY(at::equal(tail.merged(at::kFloat).forward(middle, {}), tail.forward(middle, {})));
    }

    void a_network_reads_its_own_map_or_a_last_one()
    {
        const auto config = config_with_tail();
        Parameters parameters = parameters_of(config);
        move(parameters);
        const Network network(config, parameters);
        const auto seen = trunk().forward(pictures(4, 64, 64), true);
        const at::Tensor clips = seen.middle.view({2, 2, 4, 4, 32}), told = network.concept_of(seen.logits.view({2, 2, 10}));
        const at::Tensor last = network.last_map(clips);
        QCOMPARE(last.sizes().vec(), (std::vector<int64_t>{2, 2, 2, 2, 1280}));
        QVERIFY(at::equal(network.last_map(last), last));
        QVERIFY(at::equal(network.encode_map(clips, told).vectors, network.encode_map(last, told).vectors));
        const at::Tensor of_trunk = seen.map.view({2, 2, 2, 2, 1280});
        QVERIFY(!at::allclose(network.encode_map(clips, told).own, network.encode_map(of_trunk, told).own, 1e-3, 1e-3));
    }

    void a_whole_step_runs_on_the_meta_device()
    {
        const auto config = config_with_tail();
        Parameters parameters = meta_parameters(config);
        for (const auto& spec : parameter_specs(config))
            if (!spec.frozen)
                parameters.at(spec.name).requires_grad_(true);
        const Network network(config, parameters);
        const auto floats = at::TensorOptions(at::kFloat).device(at::kMeta);
        const at::Tensor told = network.concept_of(at::empty({2, 1, 10}, floats));
        network.encode_map(at::empty({2, 1, 14, 14, 32}, floats), told).vectors.sum().backward();
        for (const auto& [name, tensor] : parameters)
            if (name.starts_with("vision.tail."))
                QVERIFY2(tensor.grad().defined(), name.c_str());
    }
};

QTEST_GUILESS_MAIN(TestTrunkTail)
#include "tst_trunk_tail.moc"
