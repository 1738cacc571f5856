// SPDX-License-Identifier: Apache-2.0
// The CUDA bodies of routing.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "kernels/bodies.h"
#include "kernels/cuda_bodies.h"
#include "kernels/cuda_stream.h"
#include "kernels/routing_cuda.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

RoutingShape shape_of(const at::Tensor& logits, int64_t capacity)
{
    TORCH_CHECK(logits.size(2) <= kMaxExperts, "routing: a CUDA device routes to at most ", kMaxExperts, " experts, got ",
                logits.size(2));
    return {logits.size(1), logits.size(2), capacity};
}

at::Tensor scratch(const at::Tensor& logits, at::IntArrayRef sizes, at::ScalarType type = at::kFloat)
{
    return at::empty(sizes, logits.options().dtype(type));
}

ThreeTensors experts_choose_body(const at::Tensor& logits, int64_t capacity)
{
    const ThreeTensors result = experts_choose_result(logits, capacity);
    const RoutingShape shape = shape_of(logits, capacity);
    const c10::OptionalDeviceGuard guard(logits.device());
    const auto& [slots, gates, log_sums] = result;
    const at::Tensor probabilities = scratch(logits, {logits.size(0), shape.experts, shape.tokens});
    check(experts_choose(shape, logits.size(0), logits.const_data_ptr<float>(), probabilities.mutable_data_ptr<float>(),
                         slots.mutable_data_ptr<int64_t>(), gates.mutable_data_ptr<float>(), log_sums.mutable_data_ptr<float>(),
                         stream_of(logits)),
          "route_experts_choose");
    return result;
}

FourTensors tokens_choose_body(const at::Tensor& logits, int64_t choices, int64_t capacity, bool batch_priority)
{
    const FourTensors result = tokens_choose_result(logits, choices, capacity, batch_priority);
    const RoutingShape shape = shape_of(logits, capacity);
    const c10::OptionalDeviceGuard guard(logits.device());
    const auto& [slots, gates, log_sums, claims] = result;
    const int64_t groups = logits.size(0);
    const at::Tensor probabilities = scratch(logits, {groups, shape.experts, shape.tokens});
    const at::Tensor chosen = scratch(logits, {groups, choices, shape.tokens}, at::kInt);
    const at::Tensor best = scratch(logits, {groups, shape.tokens}), order = scratch(logits, {groups, shape.tokens}, at::kLong);
    check(tokens_choose(shape, groups, choices, logits.const_data_ptr<float>(),
                        {probabilities.mutable_data_ptr<float>(), chosen.mutable_data_ptr<int32_t>(),
                         batch_priority ? best.mutable_data_ptr<float>() : nullptr,
                         batch_priority ? order.mutable_data_ptr<int64_t>() : nullptr},
                        slots.mutable_data_ptr<int64_t>(), gates.mutable_data_ptr<float>(), log_sums.mutable_data_ptr<float>(),
                        claims.mutable_data_ptr<int64_t>(), stream_of(logits)),
          "route_tokens_choose");
    return result;
}

at::Tensor route_backward_body(const at::Tensor& grad_gates, const at::Tensor& grad_log_sums, const at::Tensor& logits,
                               const at::Tensor& slots)
{
    const at::Tensor gradient = route_backward_result(grad_gates, grad_log_sums, logits, slots);
    const c10::OptionalDeviceGuard guard(logits.device());
    check(route_backward(shape_of(logits, slots.size(2)), logits.size(0), grad_gates.const_data_ptr<float>(),
                         grad_log_sums.const_data_ptr<float>(), logits.const_data_ptr<float>(), slots.const_data_ptr<int64_t>(),
                         gradient.mutable_data_ptr<float>(), stream_of(logits)),
          "route_backward");
    return gradient;
}

}  // namespace

void register_routing(torch::Library& library)
{
    library.impl("route_experts_choose", experts_choose_body);
    library.impl("route_tokens_choose", tokens_choose_body);
    library.impl("route_backward", route_backward_body);
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
