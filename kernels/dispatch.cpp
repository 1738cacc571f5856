// SPDX-License-Identifier: Apache-2.0
// Schemas, checks, dispatch and derivatives of dispatch_rows and combine_rows.
#include "kernels/dispatch.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "kernels/bodies.h"
#include "kernels/dispatch_cpu.h"
#include "kernels/operator.h"

namespace imprint::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void check_types(const char* op, const at::Tensor& rows, const at::Tensor& slots, const MaybeTensor& gates)
{
    const auto type = rows.scalar_type();
    TORCH_CHECK(type == at::kFloat || type == at::kBFloat16 || (type == at::kDouble && !rows.is_cuda()), op,
                ": wanted float32 or bfloat16 (float64 on the CPU), got ", type);
    TORCH_CHECK(slots.dim() == 3 && slots.scalar_type() == at::kLong, op,
                ": wanted int64 slots [groups, experts, capacity], got ", slots.scalar_type(), " ", slots.sizes());
    check_together(op, rows, {&slots});
    if (!gates)
        return;
    TORCH_CHECK(gates->sizes() == slots.sizes() && gates->scalar_type() == (type == at::kDouble ? at::kDouble : at::kFloat), op,
                ": the gates ", gates->scalar_type(), " ", gates->sizes(), " do not fit slots ", slots.sizes());
    check_together(op, rows, {&*gates});
}

DispatchShape checked_gather(const at::Tensor& x, const at::Tensor& slots, const MaybeTensor& gates)
{
    TORCH_CHECK(x.dim() == 3, "gather_rows: wanted x [groups, tokens, width], got ", x.sizes());
    check_types("gather_rows", x, slots, gates);
    TORCH_CHECK(slots.size(0) == x.size(0), "gather_rows: ", x.size(0), " groups of tokens, but slots for ", slots.size(0));
    return {x.size(0), x.size(1), slots.size(1), slots.size(2), x.size(2)};
}

DispatchShape checked_combine(const char* op, const at::Tensor& rows, const at::Tensor& slots, const MaybeTensor& gates,
                              int64_t tokens)
{
    check_types(op, rows, slots, gates);
    TORCH_CHECK(rows.dim() == 4 && rows.size(0) == slots.size(1) && rows.size(1) == slots.size(0)
                    && rows.size(2) == slots.size(2),
                op, ": rows [experts, groups, capacity, width] ", rows.sizes(), " do not fit slots ", slots.sizes());
    TORCH_CHECK(tokens >= 0, op, ": the number of tokens must not be negative, got ", tokens);
    return {rows.size(1), tokens, rows.size(0), rows.size(2), rows.size(3)};
}

DispatchShape checked_gates(const at::Tensor& grad, const at::Tensor& rows, const at::Tensor& slots)
{
    TORCH_CHECK(grad.dim() == 3 && grad.scalar_type() == rows.scalar_type(), "gate_gradients: got a gradient ",
                grad.scalar_type(), " ", grad.sizes());
    const DispatchShape shape = checked_combine("gate_gradients", rows, slots, {}, grad.size(1));
    TORCH_CHECK(grad.size(0) == shape.groups && grad.size(2) == shape.width, "gate_gradients: the gradient ", grad.sizes(),
                " does not fit rows ", rows.sizes());
    check_together("gate_gradients", rows, {&grad});
    return shape;
}

}  // namespace

at::Tensor gather_rows_result(const at::Tensor& x, const at::Tensor& slots, const MaybeTensor& gates)
{
    const DispatchShape shape = checked_gather(x, slots, gates);
    return at::empty({shape.experts, shape.groups, shape.capacity, shape.width}, x.options());
}

at::Tensor combine_rows_result(const at::Tensor& rows, const at::Tensor& slots, const MaybeTensor& gates, int64_t tokens)
{
    const DispatchShape shape = checked_combine("combine_rows", rows, slots, gates, tokens);
    return at::empty({shape.groups, shape.tokens, shape.width}, rows.options());
}

at::Tensor gate_gradients_result(const at::Tensor& grad, const at::Tensor& rows, const at::Tensor& slots)
{
    checked_gates(grad, rows, slots);
    return at::empty(slots.sizes(), rows.options().dtype(rows.scalar_type() == at::kDouble ? at::kDouble : at::kFloat));
}

namespace {

void check_slots(const char* op, const at::Tensor& slots, int64_t tokens)
{
    const int64_t* slot = slots.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < slots.numel(); ++i)
        TORCH_CHECK(slot[i] >= -1 && slot[i] < tokens, op, ": slot ", i, " names token ", slot[i], " of ", tokens);
}

template <class T>
const Sum<T>* gates_or_null(const MaybeTensor& gates)
{
    return gates ? gates->const_data_ptr<Sum<T>>() : nullptr;
}

at::Tensor gather_cpu(const at::Tensor& x, const at::Tensor& slots, const MaybeTensor& gates)
{
    const DispatchShape shape = checked_gather(x, slots, gates);
    check_slots("gather_rows", slots, shape.tokens);
    const at::Tensor rows = gather_rows_result(x, slots, gates);
    AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, x.scalar_type(), "gather_rows", [&] {
        at::parallel_for(0, slots.numel(), grain_for(shape.width), [&](int64_t first, int64_t last) {
            gather_rows(shape, x.const_data_ptr<scalar_t>(), slots.const_data_ptr<int64_t>(), gates_or_null<scalar_t>(gates),
                        rows.mutable_data_ptr<scalar_t>(), first, last);
        });
    });
    return rows;
}

at::Tensor combine_cpu(const at::Tensor& rows, const at::Tensor& slots, const MaybeTensor& gates, int64_t tokens)
{
    const DispatchShape shape = checked_combine("combine_rows", rows, slots, gates, tokens);
    check_slots("combine_rows", slots, tokens);
    const at::Tensor result = combine_rows_result(rows, slots, gates, tokens);
    const at::Tensor inverse = at::empty({shape.groups, shape.tokens, shape.experts}, slots.options().dtype(at::kInt));
    at::parallel_for(0, shape.groups, grain_for(shape.tokens * shape.experts), [&](int64_t first, int64_t last) {
        invert_slots(shape, slots.const_data_ptr<int64_t>(), inverse.mutable_data_ptr<int32_t>(), first, last);
    });
    AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, rows.scalar_type(), "combine_rows", [&] {
        at::parallel_for(0, shape.groups * shape.tokens, grain_for(shape.width), [&](int64_t first, int64_t last) {
            combine_tokens(shape, rows.const_data_ptr<scalar_t>(), gates_or_null<scalar_t>(gates),
                           inverse.const_data_ptr<int32_t>(), result.mutable_data_ptr<scalar_t>(), first, last);
        });
    });
    return result;
}

at::Tensor gate_gradients_cpu(const at::Tensor& grad, const at::Tensor& rows, const at::Tensor& slots)
{
    const DispatchShape shape = checked_gates(grad, rows, slots);
    const at::Tensor gradient = gate_gradients_result(grad, rows, slots);
    AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, rows.scalar_type(), "gate_gradients", [&] {
        at::parallel_for(0, slots.numel(), grain_for(shape.width), [&](int64_t first, int64_t last) {
            gate_gradients(shape, grad.const_data_ptr<scalar_t>(), rows.const_data_ptr<scalar_t>(),
                           slots.const_data_ptr<int64_t>(), gradient.mutable_data_ptr<Sum<scalar_t>>(), first, last);
        });
    });
    return gradient;
}

at::Tensor call_gather(const at::Tensor& x, const at::Tensor& slots, const MaybeTensor& gates)
{
    static const auto op = operator_handle<decltype(gather_cpu)>("imprint::gather_rows");
    return op.call(x, slots, gates);
}

at::Tensor call_combine(const at::Tensor& rows, const at::Tensor& slots, const MaybeTensor& gates, int64_t tokens)
{
    static const auto op = operator_handle<decltype(combine_cpu)>("imprint::combine_rows");
    return op.call(rows, slots, gates, tokens);
}

at::Tensor call_gate_gradients(const at::Tensor& grad, const at::Tensor& rows, const at::Tensor& slots)
{
    static const auto op = operator_handle<decltype(gate_gradients_cpu)>("imprint::gate_gradients");
    return op.call(grad, rows, slots);
}

struct DispatchRows : torch::autograd::Function<DispatchRows> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& slots)
    {
        const at::AutoDispatchBelowADInplaceOrView below;
        context->save_for_backward({slots});
        context->saved_data["tokens"] = x.size(1);
        return call_gather(x, slots, {});
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients)
    {
        const at::Tensor slots = context->get_saved_variables()[0];
        return {call_combine(gradients[0].contiguous(), slots, {}, context->saved_data["tokens"].toInt()), at::Tensor()};
    }
};

struct CombineRows : torch::autograd::Function<CombineRows> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& rows, const at::Tensor& gates, const at::Tensor& slots,
                              int64_t tokens)
    {
        const at::AutoDispatchBelowADInplaceOrView below;
        context->save_for_backward({rows, gates, slots});
        return call_combine(rows, slots, gates, tokens);
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients)
    {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor grad = gradients[0].contiguous();
        return {call_gather(grad, saved[2], saved[1]), call_gate_gradients(grad, saved[0], saved[2]), at::Tensor(), at::Tensor()};
    }
};

}  // namespace

at::Tensor dispatch_rows(const at::Tensor& x, const at::Tensor& slots) { return DispatchRows::apply(x, slots); }

at::Tensor combine_rows(const at::Tensor& rows, const at::Tensor& gates, const at::Tensor& slots, int64_t tokens)
{
    return CombineRows::apply(rows, gates, slots, tokens);
}

}  // namespace imprint::kernels

TORCH_LIBRARY_FRAGMENT(imprint, library)
{
    library.def("gather_rows(Tensor x, Tensor slots, Tensor? gates) -> Tensor");
    library.def("combine_rows(Tensor rows, Tensor slots, Tensor? gates, int tokens) -> Tensor");
    library.def("gate_gradients(Tensor grad, Tensor rows, Tensor slots) -> Tensor");
}

TORCH_LIBRARY_IMPL(imprint, CPU, library)
{
    library.impl("gather_rows", imprint::kernels::gather_cpu);
    library.impl("combine_rows", imprint::kernels::combine_cpu);
    library.impl("gate_gradients", imprint::kernels::gate_gradients_cpu);
}

TORCH_LIBRARY_IMPL(imprint, Meta, library)
{
    library.impl("gather_rows", imprint::kernels::gather_rows_result);
    library.impl("combine_rows", imprint::kernels::combine_rows_result);
    library.impl("gate_gradients", imprint::kernels::gate_gradients_result);
}
