// SPDX-License-Identifier: Apache-2.0
// Routing against the same formulas on whole tensors, and its derivative against finite differences.
#include <ATen/ATen.h>
#include <QTest>

#include "kernels/cuda_bodies.h"
#include "kernels/routing.h"
#include "tests/kernels/bodies.h"
#include "tests/kernels/finite_differences.h"

using namespace imprint::kernels;
using namespace imprint::test;

namespace {

struct Case {
    const char* name;
    int64_t groups, tokens, experts, capacity;
    bool equal_tokens = false;
};

constexpr Case kCases[] = {
    {"one image of 49 tokens", 1, 49, 8, 6},
    {"sixteen texts", 16, 9, 8, 1},
    {"more tokens than threads", 1, 160, 8, 20},
    {"a one-token text", 3, 1, 4, 1},
    {"every token equal", 2, 33, 4, 8, true},
    {"capacity of all tokens", 2, 12, 3, 12},
    {"no capacity", 2, 12, 3, 0},
    {"one expert", 2, 7, 1, 3},
    {"more experts than lanes", 1, 70, 40, 2},
    {"more tokens than one small sort", 1, 1100, 1, 275},
};

at::Tensor logits_of(const Case& c, at::ScalarType type = at::kFloat)
{
    const at::Tensor logits = at::randn({c.groups, c.equal_tokens ? 1 : c.tokens, c.experts}, at::kDouble);
    return logits.expand({c.groups, c.tokens, c.experts}).contiguous().to(type);
}

void add_cases() { add_rows(kCases); }

}  // namespace

class TestRouting : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { at::manual_seed(5); }

    void experts_take_their_most_probable_tokens_data() { add_cases(); }
    void experts_take_their_most_probable_tokens()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const On device(target, cuda_on_cpu::register_routing);
        const at::Tensor logits = logits_of(c, device.is_cpu() ? at::kDouble : at::kFloat);
        const double tolerance = device.is_cpu() ? 1e-12 : 1e-5;
        const Routing routing = route_experts_choose(device.put(logits), c.capacity);
        const at::Tensor wide = logits.to(at::kDouble), columns = at::softmax(wide, -1).transpose(1, 2).contiguous();
        const auto [values, order] = at::sort(columns, /*stable=*/true, -1, /*descending=*/true);
        QVERIFY(at::equal(device.get(routing.slots), order.narrow(-1, 0, c.capacity)));
        QVERIFY(near(routing.gates, values.narrow(-1, 0, c.capacity), tolerance));
        QVERIFY(near(routing.z, at::logsumexp(wide, at::IntArrayRef{-1}).square(), tolerance));
        QVERIFY(device.has_run());
    }

    void a_group_may_be_too_long_for_one_block_to_sort()
    {
        const at::Tensor logits = at::randn({1, 4100, 1}).expand({1, 4100, 2}) * at::tensor({1.0f, 0.0f});
        const Routing wanted = route_experts_choose(logits.contiguous(), 100);
        const On device(kSchedule1, cuda_on_cpu::register_routing);
        const Routing routing = route_experts_choose(device.put(logits), 100);
        QVERIFY(at::equal(device.get(routing.slots), wanted.slots));
        QVERIFY(device.has_run());
    }

    void tokens_choose_alike_on_every_device_data() { add_cases(); }
    void tokens_choose_alike_on_every_device()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const at::Tensor logits = logits_of(c);
        for (const bool batch_priority : {false, true}) {
            const int64_t choices = std::min<int64_t>(c.experts, 2);
            const Routing wanted = route_tokens_choose(logits, choices, c.capacity, batch_priority);
            const On device(target, cuda_on_cpu::register_routing);
            const Routing routing = route_tokens_choose(device.put(logits), choices, c.capacity, batch_priority);
            QVERIFY(at::equal(device.get(routing.slots), wanted.slots));
            QVERIFY(at::equal(device.get(routing.claims), wanted.claims));
            QVERIFY(near(routing.gates, wanted.gates, 1e-5) && near(routing.z, wanted.z, 1e-5));
        }
    }

    void gradients_are_alike_on_every_device_data() { add_cases(); }
    void gradients_are_alike_on_every_device()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const auto gradient = [&](const at::Tensor& at_leaf) {
            const at::Tensor leaf = at_leaf.set_requires_grad(true);
            const Routing routing = route_experts_choose(leaf, c.capacity);
            const at::Tensor slope =
                at::arange(routing.gates.numel(), leaf.options().requires_grad(false)).view_as(routing.gates);
            return torch::autograd::grad({(routing.gates * slope.cos()).sum() + routing.z.mean()}, {leaf})[0].detach();
        };
        const at::Tensor logits = logits_of(c), wanted = gradient(logits.to(at::kDouble));
        const On device(target, cuda_on_cpu::register_routing);
        QVERIFY(near(gradient(device.put(logits)), wanted, 1e-5));
        QVERIFY(device.has_run());
    }

    void a_group_keeps_its_bits_in_any_company_data() { add_cases(); }
    void a_group_keeps_its_bits_in_any_company()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const On device(target, cuda_on_cpu::register_routing);
        const at::Tensor logits = device.put(logits_of(c));
        const Routing all = route_experts_choose(logits, c.capacity);
        for (int64_t group = 0; group < c.groups; ++group) {
            const Routing alone = route_experts_choose(logits.narrow(0, group, 1).contiguous(), c.capacity);
            QVERIFY(at::equal(alone.slots, all.slots.narrow(0, group, 1)));
            QVERIFY(at::equal(alone.gates, all.gates.narrow(0, group, 1)));
            QVERIFY(at::equal(alone.z, all.z.narrow(0, group, 1)));
        }
    }

    void tokens_fill_slots_by_rank_and_then_by_order_data()
    {
        QTest::addColumn<bool>("batch_priority");
        QTest::addColumn<QList<int>>("first_expert");
        QTest::addColumn<QList<int>>("second_expert");
        // Four tokens, two experts, two slots each; tokens 0, 1, 2 prefer the first expert, 3 the second.
        QTest::newRow("in order of tokens") << false << QList<int>{0, 1} << QList<int>{3, 0};
        QTest::newRow("in order of confidence") << true << QList<int>{2, 1} << QList<int>{3, 2};
    }
    void tokens_fill_slots_by_rank_and_then_by_order()
    {
        QFETCH(bool, batch_priority);
        QFETCH(QList<int>, first_expert);
        QFETCH(QList<int>, second_expert);
        const at::Tensor probabilities = at::tensor({0.6, 0.4, 0.7, 0.3, 0.9, 0.1, 0.35, 0.65}, at::kDouble).view({1, 4, 2});
        const Routing routing = route_tokens_choose(probabilities.log(), 2, 2, batch_priority);
        const auto* slots = routing.slots.const_data_ptr<int64_t>();
        QCOMPARE(QList<int>(slots, slots + 2), first_expert);
        QCOMPARE(QList<int>(slots + 2, slots + 4), second_expert);
        QVERIFY(at::equal(routing.claims, at::full({1, 2}, 4, at::kLong)));
        QVERIFY(at::allclose(routing.gates.view({2, 2})[0], probabilities[0].select(1, 0).index({routing.slots[0][0]})));
    }

    void slots_that_no_token_claims_stay_empty()
    {
        const at::Tensor logits = at::tensor({3.0, 0.0, 1.0, 3.0, 1.0, 0.0}, at::kDouble).view({1, 2, 3});
        const Routing routing = route_tokens_choose(logits, 1, 2, false);
        QVERIFY(at::equal(routing.slots, at::tensor({0, 1, -1, -1, -1, -1}, at::kLong).view({1, 3, 2})));
        QCOMPARE(routing.gates[0][1][0].item<double>(), 0.0);
        QVERIFY(at::equal(routing.claims, at::tensor({2, 0, 0}, at::kLong).view({1, 3})));
    }

    void gradients_agree_with_finite_differences()
    {
        const at::Tensor logits = at::randn({2, 6, 3}, at::kDouble);
        const auto experts = [](const std::vector<at::Tensor>& in) {
            const Routing routing = route_experts_choose(in[0], 2);
            return at::cat({routing.gates.flatten(), routing.z.flatten()});
        };
        const auto tokens = [](const std::vector<at::Tensor>& in) {
            const Routing routing = route_tokens_choose(in[0], 2, 3, true);
            return at::cat({routing.gates.flatten(), routing.z.flatten()});
        };
        QCOMPARE_LT(gradient_error(experts, {logits}), 1e-8);
        QCOMPARE_LT(gradient_error(tokens, {logits}), 1e-8);
    }

    void has_a_meta_body_data()
    {
        QTest::addColumn<int>("index");
        for (int i = 0; i < static_cast<int>(std::size(kCases)); ++i)
            QTest::newRow(kCases[i].name) << i;
    }
    void has_a_meta_body()
    {
        QFETCH(int, index);
        const Case& c = kCases[index];
        const at::Tensor logits = logits_of(c).set_requires_grad(true);
        const at::Tensor image = shadow(logits).set_requires_grad(true);
        const Routing real = route_experts_choose(logits, c.capacity), meta = route_experts_choose(image, c.capacity);
        QVERIFY(foretells(meta.slots, real.slots) && foretells(meta.gates, real.gates) && foretells(meta.z, real.z));
        const Routing mine = route_tokens_choose(logits, 1, c.capacity, true);
        const Routing theirs = route_tokens_choose(image, 1, c.capacity, true);
        QVERIFY(foretells(theirs.slots, mine.slots) && foretells(theirs.gates, mine.gates)
                && foretells(theirs.claims, mine.claims));
        const auto gradient = torch::autograd::grad({meta.gates.sum() + meta.z.mean()}, {image})[0];
        QVERIFY(foretells(gradient, logits));
    }

    void refuses_what_it_cannot_route()
    {
        const at::Tensor logits = at::randn({2, 5, 3});
        QVERIFY_THROWS_EXCEPTION(c10::Error, route_experts_choose(logits, 6));
        QVERIFY_THROWS_EXCEPTION(c10::Error, route_experts_choose(logits, -1));
        QVERIFY_THROWS_EXCEPTION(c10::Error, route_experts_choose(logits[0], 1));
        QVERIFY_THROWS_EXCEPTION(c10::Error, route_experts_choose(logits.to(at::kBFloat16), 1));
        QVERIFY_THROWS_EXCEPTION(c10::Error, route_experts_choose(logits.transpose(0, 1), 1));
        QVERIFY_THROWS_EXCEPTION(c10::Error, route_tokens_choose(logits, 4, 1, false));
    }
};

QTEST_APPLESS_MAIN(TestRouting)
#include "tst_routing.moc"
