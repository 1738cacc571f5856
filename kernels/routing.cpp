// SPDX-License-Identifier: Apache-2.0
// Schemas, checks, dispatch and derivative of routing.
#include "kernels/routing.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "kernels/bodies.h"
#include "kernels/operator.h"
#include "kernels/routing_cpu.h"

namespace imprint::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

RoutingShape checked(const char* op, const at::Tensor& logits, int64_t capacity)
{
    TORCH_CHECK(logits.dim() == 3 && logits.size(2) >= 1, op, ": wanted logits [groups, tokens, experts], got ", logits.sizes());
    TORCH_CHECK(logits.scalar_type() == at::kFloat || (logits.scalar_type() == at::kDouble && !logits.is_cuda()), op,
                ": the router works in float32 (float64 on the CPU), got ", logits.scalar_type(), " on ", logits.device());
    TORCH_CHECK(capacity >= 0, op, ": the capacity must not be negative, got ", capacity);
    check_together(op, logits, {});
    return {logits.size(1), logits.size(2), capacity};
}

RoutingShape checked_experts(const at::Tensor& logits, int64_t capacity)
{
    const RoutingShape shape = checked("route_experts_choose", logits, capacity);
    TORCH_CHECK(capacity <= shape.tokens, "route_experts_choose: ", shape.tokens, " tokens cannot fill ", capacity, " slots");
    return shape;
}

RoutingShape checked_tokens(const at::Tensor& logits, int64_t choices, int64_t capacity)
{
    const RoutingShape shape = checked("route_tokens_choose", logits, capacity);
    TORCH_CHECK(choices >= 1 && choices <= shape.experts, "route_tokens_choose: a token chooses 1 to ", shape.experts,
                " experts, got ", choices);
    return shape;
}

RoutingShape checked_backward(const at::Tensor& grad_gates, const at::Tensor& grad_log_sums, const at::Tensor& logits,
                              const at::Tensor& slots)
{
    const RoutingShape shape = checked("route_backward", logits, slots.size(-1));
    TORCH_CHECK(slots.scalar_type() == at::kLong
                    && slots.sizes() == at::IntArrayRef({logits.size(0), shape.experts, shape.capacity})
                    && grad_gates.sizes() == slots.sizes() && grad_log_sums.sizes() == logits.sizes().slice(0, 2)
                    && grad_gates.scalar_type() == logits.scalar_type() && grad_log_sums.scalar_type() == logits.scalar_type(),
                "route_backward: gradients ", grad_gates.sizes(), " and ", grad_log_sums.sizes(), " do not fit logits ",
                logits.sizes(), " and slots ", slots.sizes());
    check_together("route_backward", logits, {&grad_gates, &grad_log_sums, &slots});
    return shape;
}

FourTensors empty_result(const at::Tensor& logits, const RoutingShape& shape)
{
    const int64_t groups = logits.size(0);
    return {at::empty({groups, shape.experts, shape.capacity}, logits.options().dtype(at::kLong)),
            at::empty({groups, shape.experts, shape.capacity}, logits.options()),
            at::empty({groups, shape.tokens}, logits.options()),
            at::empty({groups, shape.experts}, logits.options().dtype(at::kLong))};
}

}  // namespace

ThreeTensors experts_choose_result(const at::Tensor& logits, int64_t capacity)
{
    const auto [slots, gates, log_sums, claims] = empty_result(logits, checked_experts(logits, capacity));
    return {slots, gates, log_sums};
}

FourTensors tokens_choose_result(const at::Tensor& logits, int64_t choices, int64_t capacity, bool)
{
    return empty_result(logits, checked_tokens(logits, choices, capacity));
}

at::Tensor route_backward_result(const at::Tensor& grad_gates, const at::Tensor& grad_log_sums, const at::Tensor& logits,
                                 const at::Tensor& slots)
{
    checked_backward(grad_gates, grad_log_sums, logits, slots);
    return at::empty_like(logits);
}

namespace {

template <class Body>
void for_groups(const at::Tensor& logits, const RoutingShape& shape, const Body& body)
{
    AT_DISPATCH_FLOATING_TYPES(logits.scalar_type(), "routing", [&] {
        at::parallel_for(0, logits.size(0), grain_for(16 * shape.tokens * shape.experts), [&](int64_t first, int64_t last) {
            for (int64_t group = first; group < last; ++group)
                body(group, scalar_t{});
        });
    });
}

ThreeTensors experts_cpu(const at::Tensor& logits, int64_t capacity)
{
    const RoutingShape shape = checked_experts(logits, capacity);
    const auto [slots, gates, log_sums, claims] = empty_result(logits, shape);
    const int64_t row = shape.experts * shape.capacity;
    for_groups(logits, shape, [&, &slots = slots, &gates = gates, &log_sums = log_sums](int64_t group, auto zero) {
        using T = decltype(zero);
        experts_choose_group(shape, logits.const_data_ptr<T>() + group * shape.tokens * shape.experts,
                             slots.template mutable_data_ptr<int64_t>() + group * row,
                             gates.template mutable_data_ptr<T>() + group * row,
                             log_sums.template mutable_data_ptr<T>() + group * shape.tokens);
    });
    return {slots, gates, log_sums};
}

FourTensors tokens_cpu(const at::Tensor& logits, int64_t choices, int64_t capacity, bool batch_priority)
{
    const RoutingShape shape = checked_tokens(logits, choices, capacity);
    const FourTensors result = empty_result(logits, shape);
    const auto& [slots, gates, log_sums, claims] = result;
    const int64_t row = shape.experts * shape.capacity;
    for_groups(
        logits, shape, [&, &slots = slots, &gates = gates, &log_sums = log_sums, &claims = claims](int64_t group, auto zero) {
            using T = decltype(zero);
            tokens_choose_group(shape, choices, batch_priority, logits.const_data_ptr<T>() + group * shape.tokens * shape.experts,
                                slots.template mutable_data_ptr<int64_t>() + group * row,
                                gates.template mutable_data_ptr<T>() + group * row,
                                log_sums.template mutable_data_ptr<T>() + group * shape.tokens,
                                claims.template mutable_data_ptr<int64_t>() + group * shape.experts);
        });
    return result;
}

at::Tensor backward_cpu(const at::Tensor& grad_gates, const at::Tensor& grad_log_sums, const at::Tensor& logits,
                        const at::Tensor& slots)
{
    const RoutingShape shape = checked_backward(grad_gates, grad_log_sums, logits, slots);
    const at::Tensor gradient = at::empty_like(logits);
    const int64_t row = shape.experts * shape.capacity, all = shape.tokens * shape.experts;
    for_groups(logits, shape, [&](int64_t group, auto zero) {
        using T = decltype(zero);
        route_backward_group(shape, grad_gates.const_data_ptr<T>() + group * row,
                             grad_log_sums.const_data_ptr<T>() + group * shape.tokens, logits.const_data_ptr<T>() + group * all,
                             slots.const_data_ptr<int64_t>() + group * row, gradient.mutable_data_ptr<T>() + group * all);
    });
    return gradient;
}

/// The part that both routers share: gates and log-sums lead back to the logits, slots and claims lead nowhere.
variable_list route_backward(AutogradContext* context, const variable_list& gradients)
{
    static const auto op = operator_handle<decltype(backward_cpu)>("imprint::route_backward");
    const variable_list saved = context->get_saved_variables();
    return {op.call(gradients[1].contiguous(), gradients[2].contiguous(), saved[0], saved[1])};
}

struct ExpertsChoose : torch::autograd::Function<ExpertsChoose> {
    static variable_list forward(AutogradContext* context, const at::Tensor& logits, int64_t capacity)
    {
        static const auto op = operator_handle<decltype(experts_cpu)>("imprint::route_experts_choose");
        const at::AutoDispatchBelowADInplaceOrView below;
        auto [slots, gates, log_sums] = op.call(logits, capacity);
        context->save_for_backward({logits, slots});
        context->mark_non_differentiable({slots});
        return {slots, gates, log_sums};
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients)
    {
        variable_list result = route_backward(context, gradients);
        result.resize(2);
        return result;
    }
};

struct TokensChoose : torch::autograd::Function<TokensChoose> {
    static variable_list forward(AutogradContext* context, const at::Tensor& logits, int64_t choices, int64_t capacity,
                                 bool batch_priority)
    {
        static const auto op = operator_handle<decltype(tokens_cpu)>("imprint::route_tokens_choose");
        const at::AutoDispatchBelowADInplaceOrView below;
        auto [slots, gates, log_sums, claims] = op.call(logits, choices, capacity, batch_priority);
        context->save_for_backward({logits, slots});
        context->mark_non_differentiable({slots, claims});
        return {slots, gates, log_sums, claims};
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients)
    {
        variable_list result = route_backward(context, gradients);
        result.resize(4);
        return result;
    }
};

}  // namespace

Routing route_experts_choose(const at::Tensor& logits, int64_t capacity)
{
    const variable_list result = ExpertsChoose::apply(logits, capacity);
    return {result[0], result[1], result[2].square(), {}};
}

Routing route_tokens_choose(const at::Tensor& logits, int64_t choices, int64_t capacity, bool batch_priority)
{
    const variable_list result = TokensChoose::apply(logits, choices, capacity, batch_priority);
    return {result[0], result[1], result[2].square(), result[3]};
}

}  // namespace imprint::kernels

TORCH_LIBRARY_FRAGMENT(imprint, library)
{
    library.def("route_experts_choose(Tensor logits, int capacity) -> (Tensor slots, Tensor gates, Tensor log_sums)");
    library.def("route_tokens_choose(Tensor logits, int choices, int capacity, bool batch_priority)"
                " -> (Tensor slots, Tensor gates, Tensor log_sums, Tensor claims)");
    library.def("route_backward(Tensor grad_gates, Tensor grad_log_sums, Tensor logits, Tensor slots) -> Tensor");
}

TORCH_LIBRARY_IMPL(imprint, CPU, library)
{
    library.impl("route_experts_choose", imprint::kernels::experts_cpu);
    library.impl("route_tokens_choose", imprint::kernels::tokens_cpu);
    library.impl("route_backward", imprint::kernels::backward_cpu);
}

TORCH_LIBRARY_IMPL(imprint, Meta, library)
{
    library.impl("route_experts_choose", imprint::kernels::experts_choose_result);
    library.impl("route_tokens_choose", imprint::kernels::tokens_choose_result);
    library.impl("route_backward", imprint::kernels::route_backward_result);
}
