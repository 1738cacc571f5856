// SPDX-License-Identifier: Apache-2.0
// The optimiser and the average against their formulas, written down once more in plain numbers.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <QTest>

#include <cmath>
#include <limits>

#include "core/model/parameters.h"
#include "training/adamw.h"
#include "training/average.h"

using namespace imprint;
using namespace imprint::training;

namespace {

model::ModelConfig tiny_model()
{
    model::ModelConfig config;
    config.width = 8;
    config.layers = 1;
    config.heads = 1;
    config.ffn_width = 8;
    config.sparse_layers = 1;
    config.experts = 2;
    config.head_width = 8;
    config.joint_dim = 8;
    config.vocabulary = 10;
    config.trunk_channels = 4;
    config.trunk_classes = 3;
    return config;
}

model::Parameters weights_of(const model::ModelConfig& config)
{
    model::Parameters weights = model::initial_parameters(config, 4);
    for (const auto& spec : model::parameter_specs(config)) {
        weights.at(spec.name) = weights.at(spec.name).to(at::kDouble);
        if (!spec.frozen)
            weights.at(spec.name).requires_grad_(true);
    }
    return weights;
}

/// A gradient for every tensor but those whose name contains `without`.
void give_gradients(model::Parameters& weights, int64_t step, const std::string& without)
{
    for (auto& [name, tensor] : weights)
        if (tensor.requires_grad() && (without.empty() || name.find(without) == std::string::npos)) {
            const at::Tensor place = at::arange(tensor.numel(), at::kDouble).view_as(tensor);
            tensor.mutable_grad() = (place * (step + 1) + static_cast<double>(name.size())).sin() * 0.1;
        }
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

class TestAdamW : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_step_is_the_formula_data()
    {
        QTest::addColumn<double>("clip");
        QTest::newRow("clipped by the global norm") << 0.5;
        QTest::newRow("parity: not clipped") << 0.0;
        QTest::newRow("below the limit") << 1e6;
    }
    void every_step_is_the_formula()
    {
        QFETCH(double, clip);
        const model::ModelConfig config = tiny_model();
        model::Parameters weights = weights_of(config), wanted, m, v;
        for (const auto& [name, tensor] : weights) {
            wanted[name] = tensor.detach().clone();
            m[name] = at::zeros_like(wanted[name]);
            v[name] = at::zeros_like(wanted[name]);
        }
        Recipe recipe;
        recipe.clip = clip;
        recipe.beta1 = 0.9;
        recipe.beta2 = 0.999;
        recipe.epsilon = 1e-7;
        recipe.decay = 0.3;
        const model::Lanes lanes(2);
        AdamW optimizer(config, weights);
        for (int64_t step = 0; step < 5; ++step) {
            const double rate = 0.01 * static_cast<double>(step + 1);
            give_gradients(weights, step, "");
            double squares = 0;
            for (const auto& [name, tensor] : weights)
                if (tensor.requires_grad())
                    squares += tensor.grad().square().sum().item<double>();
            const double norm = std::sqrt(squares), scale = clip > 0 && norm > clip ? clip / norm : 1;
            for (const auto& spec : model::parameter_specs(config)) {
                if (spec.frozen)
                    continue;
                const at::Tensor g = weights.at(spec.name).grad() * scale;
                at::Tensor &p = wanted[spec.name], &m1 = m[spec.name], &v1 = v[spec.name];
                m1 = recipe.beta1 * m1 + (1 - recipe.beta1) * g;
                v1 = recipe.beta2 * v1 + (1 - recipe.beta2) * g * g;
                const auto n = static_cast<double>(step + 1);
                const at::Tensor m_hat = m1 / (1 - std::pow(recipe.beta1, n)), v_hat = v1 / (1 - std::pow(recipe.beta2, n));
                const bool kernel = spec.name.ends_with(".kernel");  // dense, expert and router matrices
                QCOMPARE(spec.decays, kernel);
                p = p - rate * (m_hat / (v_hat.sqrt() + recipe.epsilon) + (kernel ? recipe.decay : 0) * p);
            }
            QVERIFY(std::abs(optimizer.step(recipe, rate, lanes) - norm) < 1e-12 * norm);
            for (const auto& [name, tensor] : weights)
                QVERIFY2(largest_difference(tensor.detach(), wanted[name]) < 1e-13, name.c_str());
        }
    }

    void a_tensor_without_gradient_is_left_alone_and_counts_its_own_updates()
    {
        const model::ModelConfig config = tiny_model();
        model::Parameters weights = weights_of(config);
        AdamW optimizer(config, weights);
        const model::Lanes lanes(1);
        give_gradients(weights, 0, "text.");
        const at::Tensor before = weights.at("text.table").detach().clone();
        optimizer.step({}, 0.1, lanes);
        QVERIFY(at::equal(weights.at("text.table").detach(), before));
        give_gradients(weights, 1, "");
        optimizer.step({}, 0.1, lanes);
        // The first step of Adam is as long as the rate, whatever the gradient: here it is this tensor's first.
        const at::Tensor moved = (weights.at("text.table").detach() - before).abs();
        QVERIFY(std::abs(moved.median().item<double>() - 0.1) < 1e-4);
        QCOMPARE(optimizer.state().at("n.text.table").item<double>(), 1.0);
        QCOMPARE(optimizer.state().at("n.encoder.0.ffn.in.kernel").item<double>(), 2.0);
    }

    void a_gradient_that_is_not_finite_changes_nothing()
    {
        const model::ModelConfig config = tiny_model();
        for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
            model::Parameters weights = weights_of(config), before;
            AdamW optimizer(config, weights);
            for (const auto& [name, tensor] : weights)
                before[name] = tensor.detach().clone();
            give_gradients(weights, 0, "");
            weights.at("encoder.0.ffn.in.kernel").mutable_grad().view({-1})[3] = bad;
            QVERIFY(!std::isfinite(optimizer.step({}, 0.1, model::Lanes(1))));
            for (const auto& [name, tensor] : weights)
                QVERIFY2(at::equal(tensor.detach(), before[name]), name.c_str());
            for (const auto& [name, tensor] : optimizer.state())
                QVERIFY2(tensor.abs().max().item<double>() == 0, name.c_str());
        }
    }

    void the_average_is_the_formula_and_comes_back()
    {
        const model::ModelConfig config = tiny_model();
        model::Parameters weights = weights_of(config);
        const at::Tensor kernel = weights.at("encoder.0.ffn.in.kernel");
        Average average(weights, 0.9);
        at::Tensor wanted = kernel.detach().clone();
        const model::Lanes lanes(2);
        for (int64_t step = 0; step < 200; ++step) {
            {
                const at::NoGradGuard guard;
                weights.at("encoder.0.ffn.in.kernel") += std::sin(static_cast<double>(step));
            }
            const double decay = std::min(0.9, double(1 + step) / double(10 + step));
            wanted = decay * wanted + (1 - decay) * kernel.detach();
            average.update(step, lanes);
        }
        QVERIFY(largest_difference(average.parameters().at("encoder.0.ffn.in.kernel"), wanted) < 1e-12);
        QVERIFY(average.parameters().at("vision.map_mean").is_same(weights.at("vision.map_mean")));  // frozen
        Average again(weights, 0.9);
        again.restore(average.state());
        for (const auto& [name, tensor] : average.parameters())
            QVERIFY2(at::equal(tensor, again.parameters().at(name)), name.c_str());
    }

    void without_decay_the_average_is_the_weights()
    {
        model::Parameters weights = weights_of(tiny_model());
        Average none(weights, 0);
        none.update(0, model::Lanes(1));
        QVERIFY(!none.active() && none.state().empty());
        for (const auto& [name, tensor] : weights)
            QVERIFY2(none.parameters().at(name).is_same(tensor), name.c_str());
    }
};

QTEST_APPLESS_MAIN(TestAdamW)
#include "tst_adamw.moc"
