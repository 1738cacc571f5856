// SPDX-License-Identifier: Apache-2.0
// Gathering and combining against one-hot products, and their derivatives against finite differences.
#include <ATen/ATen.h>
#include <QTest>

#include "kernels/cuda_bodies.h"
#include "kernels/dispatch.h"
#include "kernels/routing.h"
#include "tests/kernels/bodies.h"
#include "tests/kernels/finite_differences.h"

using namespace imprint::kernels;
using namespace imprint::test;

namespace {

struct Case {
    const char* name;
    int64_t groups, tokens, experts, capacity, width;
    bool tokens_choose = false;
};

constexpr Case kCases[] = {
    {"one image", 1, 49, 8, 6, 384},
    {"sixteen texts", 16, 9, 8, 1, 64},
    {"odd width", 2, 20, 4, 5, 37},
    {"one token", 3, 1, 4, 1, 16},
    {"every token everywhere", 2, 6, 3, 6, 24},
    {"no capacity", 2, 12, 3, 0, 16},
    {"wider than one block of sums", 1, 10, 2, 5, 700},
    {"empty slots", 2, 11, 5, 4, 40, true},
};

struct Arguments {
    at::Tensor x, rows, gates, places, grad;
};

Arguments arguments_of(const Case& c, at::ScalarType type)
{
    const auto wide = type == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor logits = at::randn({c.groups, c.tokens, c.experts}, wide);
    const Routing routing =
        c.tokens_choose ? route_tokens_choose(logits, 1, c.capacity, false) : route_experts_choose(logits, c.capacity);
    return {at::randn({c.groups, c.tokens, c.width}, wide).to(type),
            at::randn({c.experts, c.groups, c.capacity, c.width}, wide).to(type), routing.gates, routing.slots,
            at::randn({c.groups, c.tokens, c.width}, wide).to(type)};
}

/// [groups, experts·capacity, tokens], a row of zeros for an empty slot.
at::Tensor one_hot(const Case& c, const at::Tensor& slots)
{
    const at::Tensor flat = slots.view({c.groups, c.experts * c.capacity, 1});
    return at::zeros({c.groups, c.experts * c.capacity, c.tokens}, at::kDouble)
        .scatter_(2, flat.clamp_min(0), flat.ge(0).to(at::kDouble));
}

double tolerance_of(at::ScalarType type) { return type == at::kDouble ? 1e-12 : type == at::kFloat ? 1e-5 : 1e-2; }

}  // namespace

class TestDispatch : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { at::manual_seed(6); }

    void equals_products_with_one_hot_rows_data() { add_rows(kCases); }
    void equals_products_with_one_hot_rows()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        for (const auto type : {at::kFloat, at::kBFloat16, at::kDouble}) {
            const Arguments a = arguments_of(c, type);
            const On device(target, cuda_on_cpu::register_dispatch);
            if (type == at::kDouble && !device.is_cpu())
                continue;
            const at::Tensor hot = one_hot(c, a.places), wide = a.rows.to(at::kDouble);
            const at::Tensor rows = dispatch_rows(device.put(a.x), device.put(a.places));
            QCOMPARE(rows.scalar_type(), type);
            const at::Tensor wanted = at::bmm(hot, a.x.to(at::kDouble)).view({c.groups, c.experts, c.capacity, c.width});
            QVERIFY(near(rows, wanted.transpose(0, 1), 1e-12));  // copies: exact in every type

            const at::Tensor result = combine_rows(device.put(a.rows), device.put(a.gates), device.put(a.places), c.tokens);
            QCOMPARE(result.scalar_type(), type);
            const at::Tensor weighted = (wide.transpose(0, 1) * a.gates.to(at::kDouble).unsqueeze(-1))
                                            .reshape({c.groups, c.experts * c.capacity, c.width});
            QVERIFY(near(result, at::bmm(hot.transpose(1, 2), weighted), tolerance_of(type)));
            QVERIFY(device.has_run());
        }
    }

    void gradients_are_alike_on_every_device_data() { add_rows(kCases); }
    void gradients_are_alike_on_every_device()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const auto gradients = [&](const Arguments& a) {
            const std::vector<at::Tensor> leaves{a.x.set_requires_grad(true), a.rows.set_requires_grad(true),
                                                 a.gates.set_requires_grad(true)};
            const at::Tensor sum = (dispatch_rows(leaves[0], a.places) * a.rows.detach()).to(at::kDouble).sum()
                + (combine_rows(leaves[1], leaves[2], a.places, c.tokens) * a.grad).to(at::kDouble).sum();
            return torch::autograd::grad({sum}, leaves);
        };
        for (const auto type : {at::kFloat, at::kBFloat16}) {
            const Arguments a = arguments_of(c, type);
            const auto wide = [](const at::Tensor& t) { return t.to(at::kDouble); };
            const auto wanted = gradients({wide(a.x), wide(a.rows), wide(a.gates), a.places, wide(a.grad)});
            const On device(target, cuda_on_cpu::register_dispatch);
            const auto found =
                gradients({device.put(a.x), device.put(a.rows), device.put(a.gates), device.put(a.places), device.put(a.grad)});
            for (size_t i = 0; i < found.size(); ++i)
                QVERIFY(near(found[i], wanted[i], type == at::kFloat ? 1e-4 : 3e-2));
            QVERIFY(device.has_run());
        }
    }

    void a_group_keeps_its_bits_in_any_company_data() { add_rows(kCases); }
    void a_group_keeps_its_bits_in_any_company()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const Arguments a = arguments_of(c, at::kFloat);
        const On device(target, cuda_on_cpu::register_dispatch);
        const at::Tensor all = combine_rows(device.put(a.rows), device.put(a.gates), device.put(a.places), c.tokens);
        for (int64_t group = 0; group < c.groups; ++group)
            QVERIFY(at::equal(combine_rows(device.put(a.rows.narrow(1, group, 1)), device.put(a.gates.narrow(0, group, 1)),
                                           device.put(a.places.narrow(0, group, 1)), c.tokens),
                              all.narrow(0, group, 1)));
    }

    void gradients_agree_with_finite_differences_data()
    {
        QTest::addColumn<bool>("tokens_choose");
        QTest::newRow("experts choose") << false;
        QTest::newRow("tokens choose, empty slots") << true;
    }
    void gradients_agree_with_finite_differences()
    {
        QFETCH(bool, tokens_choose);
        const Arguments a = arguments_of({"", 2, 5, 3, 3, 4, tokens_choose}, at::kDouble);
        const auto dispatched = [&](const std::vector<at::Tensor>& in) { return dispatch_rows(in[0], a.places); };
        const auto combined = [&](const std::vector<at::Tensor>& in) { return combine_rows(in[0], in[1], a.places, 5); };
        QCOMPARE_LT(gradient_error(dispatched, {a.x}), 1e-9);
        // An empty slot's gate stands for nothing and gets no gradient.
        QCOMPARE_LT(gradient_error(combined, {a.rows, a.gates}), 1e-9);
    }

    void has_a_meta_body()
    {
        for (const Case& c : kCases) {
            const Arguments a = arguments_of(c, at::kBFloat16);
            const at::Tensor x = shadow(a.x).set_requires_grad(true), gates = shadow(a.gates).set_requires_grad(true);
            const at::Tensor rows = dispatch_rows(x, shadow(a.places));
            QVERIFY(foretells(rows, dispatch_rows(a.x, a.places)));
            const at::Tensor result = combine_rows(rows, gates, shadow(a.places), c.tokens);
            QVERIFY(foretells(result, a.x));
            const auto gradients = torch::autograd::grad({result.sum()}, {x, gates});
            QVERIFY(foretells(gradients[0], a.x) && foretells(gradients[1], a.gates));
        }
    }

    void refuses_what_does_not_fit()
    {
        const Arguments a = arguments_of({"", 2, 5, 3, 2, 4}, at::kFloat);
        QVERIFY_THROWS_EXCEPTION(c10::Error, dispatch_rows(a.x[0], a.places));
        QVERIFY_THROWS_EXCEPTION(c10::Error, dispatch_rows(a.x, a.places.to(at::kInt)));
        QVERIFY_THROWS_EXCEPTION(c10::Error, dispatch_rows(a.x.to(at::kHalf), a.places));
        QVERIFY_THROWS_EXCEPTION(c10::Error, dispatch_rows(a.x, a.places + 5));
        QVERIFY_THROWS_EXCEPTION(c10::Error, combine_rows(a.rows.transpose(0, 1), a.gates, a.places, 5));
        QVERIFY_THROWS_EXCEPTION(c10::Error, combine_rows(a.rows, a.gates.to(at::kDouble), a.places, 5));
        QVERIFY_THROWS_EXCEPTION(c10::Error, combine_rows(a.rows, a.gates, a.places, 2));
    }
};

QTEST_APPLESS_MAIN(TestDispatch)
#include "tst_dispatch.moc"
