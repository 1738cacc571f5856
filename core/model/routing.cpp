// SPDX-License-Identifier: Apache-2.0
// Routing: the product is libtorch's, the decision an operator.
#include "core/model/routing.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/model/layers.h"
#include "kernels/routing.h"

namespace imprint::model {
namespace {

at::Tensor logits_of(const at::Tensor& x, const at::Tensor& kernel) { return at::linear(widened(x), kernel).contiguous(); }

}  // namespace

Routing route_experts_choice(const at::Tensor& x, const at::Tensor& kernel, int64_t capacity)
{
    const auto decision = kernels::route_experts_choose(logits_of(x, kernel), capacity);
    return {decision.slots, decision.gates, decision.z.mean(), {}};
}

Routing route_tokens_choice(const at::Tensor& x, const at::Tensor& kernel, int64_t capacity, int64_t top_k, bool batch_priority)
{
    const at::Tensor logits = logits_of(x, kernel);
    const auto decision = kernels::route_tokens_choose(logits, top_k, capacity, batch_priority);
    return {decision.slots, decision.gates, decision.z.mean(), balance_loss(at::softmax(logits, -1), decision.claims)};
}

Routing route(const at::Tensor& x, const at::Tensor& kernel, int64_t capacity, const ModelConfig& config)
{
    return config.router == Router::Experts
        ? route_experts_choice(x, kernel, capacity)
        : route_tokens_choice(x, kernel, capacity, config.router_top_k, config.batch_priority);
}

at::Tensor balance_loss(const at::Tensor& probabilities, const at::Tensor& claims)
{
    const double tokens = static_cast<double>(probabilities.size(1)), experts = static_cast<double>(probabilities.size(2));
    const at::Tensor share = claims.to(probabilities.scalar_type()) / tokens;
    return (share * probabilities.mean(1)).mean() * (experts * experts);
}

int64_t expert_capacity(int64_t tokens, const ModelConfig& config)
{
    const auto wanted =
        static_cast<int64_t>(std::nearbyint(config.capacity_factor * static_cast<double>(tokens) / config.experts));
    return std::min(tokens, std::max<int64_t>(wanted, config.min_capacity));
}

int64_t batch_groups(int64_t tokens, const ModelConfig& config)
{
    const int64_t experts = config.experts;
    for (int64_t groups = experts; groups <= tokens; groups += experts)
        if (groups >= tokens / config.max_group && tokens % groups == 0)
            return groups;
    throw Error(ErrorKind::Usage, "routing",
                std::to_string(tokens) + " tokens cannot be cut into equal groups for " + std::to_string(experts) + " experts",
                "Choose a batch whose tokens are a multiple of the number of experts, or route per item");
}

RouterProbe probe(const Routing& routing, int64_t tokens, int layer)
{
    const at::Tensor gates = routing.gates.detach();
    const at::Tensor filled = (routing.slots >= 0).to(gates.scalar_type());
    const int64_t groups = gates.size(0);
    const at::Tensor taken =
        at::zeros({groups, tokens}, gates.options()).scatter_add(1, routing.slots.clamp_min(0).flatten(1), filled.flatten(1));
    const at::Tensor by_expert = gates.sum(at::IntArrayRef({0, 2}));
    RouterProbe result;
    result.layer = layer;
    result.expert_use = gates.size(2) > 0 ? filled.mean(at::IntArrayRef({0, 2})) : at::zeros_like(by_expert);
    result.expert_weight = by_expert / by_expert.sum().clamp_min(1e-20);
    result.left_behind = (taken == 0).to(gates.scalar_type()).mean();
    result.confidence = gates.sum() / filled.sum().clamp_min(1);
    result.z_loss = routing.z_loss.detach();
    result.balance_loss = routing.balance_loss.defined() ? routing.balance_loss.detach() : at::zeros_like(result.z_loss);
    return result;
}

}  // namespace imprint::model
