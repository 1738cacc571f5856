// SPDX-License-Identifier: Apache-2.0
// layer_norm against its formula in float64, and its derivatives against finite differences.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <QTest>

#include "kernels/cuda_bodies.h"
#include "kernels/layer_norm.h"
#include "tests/kernels/bodies.h"
#include "tests/kernels/finite_differences.h"

using namespace imprint::kernels;
using namespace imprint::test;

namespace {

struct Case {
    const char* name;
    std::vector<int64_t> sizes;
    bool bias;
    double offset = 0;
};

const Case kCases[] = {
    {"a block's norm", {2, 49, 384}, false},
    {"a head's norm", {2, 6, 10, 64}, false},
    {"with bias", {3, 7, 96}, true},
    {"odd width", {5, 37}, true},
    {"three values a row", {4, 3}, true},
    {"one row", {768}, false},
    {"more rows than one chunk of sums", {600, 24}, true},
    {"far from zero", {4, 256}, false, 1000},
    {"no rows", {0, 16}, true},
};

struct Arguments {
    at::Tensor x, scale, bias, grad;
};

Arguments arguments_of(const Case& c, at::ScalarType type)
{
    const int64_t width = c.sizes.back();
    return {(at::randn(c.sizes) + c.offset).to(type), 1 + at::randn({width}) / 4, c.bias ? at::randn({width}) : at::Tensor(),
            at::randn(c.sizes).to(type)};
}

at::Tensor formula(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias)
{
    const at::Tensor mean = x.mean(at::IntArrayRef{-1}, true);
    const at::Tensor normed = (x - mean) / ((x - mean).square().mean(at::IntArrayRef{-1}, true) + 1e-6).sqrt();
    return bias.defined() ? normed * scale + bias : normed * scale;
}

std::vector<at::Tensor> with_gradients(const Arguments& a, const std::function<at::Tensor(const Arguments&)>& norm)
{
    Arguments leaves{a.x.detach().set_requires_grad(true), a.scale.detach().set_requires_grad(true), a.bias, a.grad};
    if (a.bias.defined())
        leaves.bias = a.bias.detach().set_requires_grad(true);
    const at::Tensor result = norm(leaves);
    std::vector<at::Tensor> inputs{leaves.x, leaves.scale};
    if (a.bias.defined())
        inputs.push_back(leaves.bias);
    auto all = torch::autograd::grad({result}, inputs, {a.grad});
    all.insert(all.begin(), result.detach());
    return all;
}

}  // namespace

class TestLayerNorm : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { at::manual_seed(7); }

    void equals_its_formula_forwards_and_backwards_data() { add_rows(kCases); }
    void equals_its_formula_forwards_and_backwards()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        for (const auto type : {at::kFloat, at::kBFloat16}) {
            const Arguments a = arguments_of(c, type);
            const auto wide = [](const at::Tensor& t) { return t.defined() ? t.to(at::kDouble) : t; };
            const auto wanted = with_gradients({wide(a.x), wide(a.scale), wide(a.bias), wide(a.grad)},
                                               [](const Arguments& in) { return formula(in.x, in.scale, in.bias); });
            const On device(target, cuda_on_cpu::register_layer_norm);
            const auto put = [&](const at::Tensor& t) { return t.defined() ? device.put(t) : t; };
            const auto found = with_gradients({put(a.x), put(a.scale), put(a.bias), put(a.grad)},
                                              [](const Arguments& in) { return layer_norm(in.x, in.scale, in.bias); });
            QCOMPARE(found[0].scalar_type(), type);
            // A mean of a thousand leaves the deviation three digits less.
            const double tolerance = (type == at::kFloat ? 2e-5 : 2e-2) * (c.offset != 0 ? 20 : 1);
            for (size_t i = 0; i < found.size(); ++i) {
                const double largest = std::max(1.0, wanted[i].numel() ? wanted[i].abs().max().item<double>() : 0.0);
                QVERIFY2(near(found[i].cpu().to(at::kDouble) / largest, wanted[i] / largest, tolerance),
                         qPrintable(QString::number(i)));
            }
            QVERIFY(device.has_run());
        }
    }

    void a_row_of_one_value_is_its_own_mean()
    {
        const at::Tensor bias = at::randn({1});
        QVERIFY(at::equal(layer_norm(at::randn({4, 1}), at::randn({1}), bias), bias.expand({4, 1})));
    }

    void a_row_keeps_its_bits_in_any_company_data() { add_rows(kCases); }
    void a_row_keeps_its_bits_in_any_company()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const Arguments a = arguments_of(c, at::kFloat);
        const On device(target, cuda_on_cpu::register_layer_norm);
        const at::Tensor scale = device.put(a.scale), bias = c.bias ? device.put(a.bias) : at::Tensor();
        const at::Tensor rows = a.x.view({-1, c.sizes.back()});
        const at::Tensor all = layer_norm(device.put(rows), scale, bias);
        for (int64_t row = 0; row < rows.size(0); row += 7)
            QVERIFY(at::equal(layer_norm(device.put(rows.narrow(0, row, 1)), scale, bias), all.narrow(0, row, 1)));
    }

    void threads_do_not_change_the_sums()
    {
        const Arguments a = arguments_of({"", {1500, 64}, true}, at::kFloat);
        const auto norm = [](const Arguments& in) { return layer_norm(in.x, in.scale, in.bias); };
        const int before = at::get_num_threads();
        at::set_num_threads(1);
        const auto alone = with_gradients(a, norm);
        at::set_num_threads(3);
        const auto together = with_gradients(a, norm);
        at::set_num_threads(before);
        for (size_t i = 0; i < alone.size(); ++i)
            QVERIFY(at::equal(alone[i], together[i]));
    }

    void gradients_agree_with_finite_differences()
    {
        const at::Tensor x = at::randn({5, 7}, at::kDouble), scale = at::randn({7}, at::kDouble),
                         bias = at::randn({7}, at::kDouble);
        const auto with_bias = [](const std::vector<at::Tensor>& in) { return layer_norm(in[0], in[1], in[2]); };
        const auto without = [](const std::vector<at::Tensor>& in) { return layer_norm(in[0], in[1]); };
        QCOMPARE_LT(gradient_error(with_bias, {x, scale, bias}), 1e-8);
        QCOMPARE_LT(gradient_error(without, {x, scale}), 1e-8);
    }

    void has_a_meta_body()
    {
        for (const Case& c : kCases) {
            const Arguments a = arguments_of(c, at::kBFloat16);
            const Arguments meta{shadow(a.x), shadow(a.scale), c.bias ? shadow(a.bias) : at::Tensor(), shadow(a.grad)};
            const auto norm = [](const Arguments& in) { return layer_norm(in.x, in.scale, in.bias); };
            const auto real = with_gradients(a, norm), foretold = with_gradients(meta, norm);
            for (size_t i = 0; i < real.size(); ++i)
                QVERIFY(foretells(foretold[i], real[i]));
        }
    }

    void refuses_what_does_not_fit()
    {
        const at::Tensor x = at::randn({4, 6}), scale = at::ones({6});
        QVERIFY_THROWS_EXCEPTION(c10::Error, layer_norm(x.t(), at::ones({4})));
        QVERIFY_THROWS_EXCEPTION(c10::Error, layer_norm(x, at::ones({4})));
        QVERIFY_THROWS_EXCEPTION(c10::Error, layer_norm(x, scale.to(at::kBFloat16)));
        QVERIFY_THROWS_EXCEPTION(c10::Error, layer_norm(x.to(at::kHalf), scale));
        QVERIFY_THROWS_EXCEPTION(c10::Error, layer_norm(x, scale, at::ones({5})));
    }
};

QTEST_APPLESS_MAIN(TestLayerNorm)
#include "tst_layer_norm.moc"
