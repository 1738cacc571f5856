// SPDX-License-Identifier: Apache-2.0
// Attention, feed-forward and the mixture of experts on plain ATen operators.
#include "core/model/layers.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/base/error.h"

namespace imprint::model {

at::Tensor linear(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias, const Precision& precision)
{
    const auto type = precision.products;
    const at::Tensor wide = at::linear(x.to(type), kernel.to(type));
    return bias.defined() ? wide.to(at::kFloat) + bias : wide;
}

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias)
{
    const auto result = at::layer_norm(x.to(at::kFloat), {x.size(-1)}, scale, bias, 1e-6);
    return result.to(x.scalar_type());
}

Routing route_experts_choice(const at::Tensor& x, const at::Tensor& kernel, int64_t capacity)
{
    const at::Tensor logits = at::matmul(x.to(at::kFloat), kernel.t());  // [groups, tokens, experts]
    const at::Tensor probabilities = at::softmax(logits, -1).transpose(1, 2);
    // topk leaves the order of equal values open; a stable sort gives them to the lower index.
    const at::Tensor order = std::get<1>(at::sort(probabilities.detach(), /*stable=*/true, -1, /*descending=*/true));
    Routing routing;
    routing.tokens = order.narrow(-1, 0, capacity).contiguous();
    routing.gates = probabilities.gather(-1, routing.tokens);
    routing.z_loss = at::logsumexp(logits, -1).square().mean();
    return routing;
}

int64_t expert_capacity(int64_t tokens, const ModelConfig& config)
{
    const auto wanted = static_cast<int64_t>(std::nearbyint(config.capacity_factor * static_cast<double>(tokens) / config.experts));
    return std::min(tokens, std::max<int64_t>(wanted, config.min_capacity));
}

int64_t batch_groups(int64_t tokens, const ModelConfig& config)
{
    const int64_t experts = config.experts;
    for (int64_t groups = experts; groups <= tokens; groups += experts)
        if (groups >= tokens / config.max_group && tokens % groups == 0)
            return groups;
    throw Error(ErrorKind::Usage, "routing", std::to_string(tokens) + " tokens cannot be cut into equal groups for "
                                                 + std::to_string(experts) + " experts",
                "Choose a batch whose tokens are a multiple of the number of experts, or route per item");
}

Block::Block(const ModelConfig& config, const Parameters& parameters, int layer)
    : config_(config), sparse_(config.sparse(layer))
{
    const auto get = [&](const std::string& name) { return parameters.at("encoder." + std::to_string(layer) + "." + name); };
    attention_norm_ = get("attention.norm.scale");
    q_ = get("attention.q.kernel");
    k_ = get("attention.k.kernel");
    v_ = get("attention.v.kernel");
    o_ = get("attention.o.kernel");
    if (config.qk_norm) {
        q_norm_ = get("attention.q_norm.scale");
        k_norm_ = get("attention.k_norm.scale");
    }
    ffn_norm_ = get("ffn.norm.scale");
    if (sparse_)
        router_ = get("ffn.router.kernel");
    in_ = get("ffn.in.kernel");
    out_ = get("ffn.out.kernel");
}

at::Tensor Block::attention(const at::Tensor& x, const Precision& precision) const
{
    const int64_t batch = x.size(0), tokens = x.size(1), head = config_.head_dim();
    const auto split = [&](const at::Tensor& kernel, const at::Tensor& norm) {
        at::Tensor part = linear(x, kernel, {}, precision).view({batch, tokens, config_.heads, head});
        if (norm.defined())
            part = layer_norm(part, norm, {});
        return part.transpose(1, 2);
    };
    const at::Tensor mixed = at::scaled_dot_product_attention(split(q_, q_norm_), split(k_, k_norm_), split(v_, {}));
    return linear(mixed.transpose(1, 2).reshape({batch, tokens, config_.width}), o_, {}, precision);
}

at::Tensor Block::dense_ffn(const at::Tensor& x, const Precision& precision) const
{
    return linear(at::gelu(linear(x, in_, {}, precision), "tanh"), out_, {}, precision);
}

at::Tensor Block::sparse_ffn(const at::Tensor& x, const Precision& precision, Auxiliary& auxiliary) const
{
    const int64_t width = config_.width, experts = config_.experts;
    const bool by_item = config_.routing_group == RoutingGroup::Item;
    const int64_t all = x.size(0) * x.size(1);
    const int64_t groups = by_item ? x.size(0) : batch_groups(all, config_);
    const int64_t tokens = all / groups;
    const at::Tensor grouped = x.reshape({groups, tokens, width});

    const int64_t capacity = expert_capacity(tokens, config_);
    const Routing routing = route_experts_choice(grouped, router_, capacity);
    auxiliary.z_loss = auxiliary.z_loss.defined() ? auxiliary.z_loss + routing.z_loss : routing.z_loss;

    // Gathering and combining are products with one-hot rows: a fixed order of summation, forwards and backwards,
    // without atomics. Beside the experts' own products they are cheap at the token counts of one item.
    const auto type = precision.products;
    const at::Tensor slots = routing.tokens.view({groups, experts * capacity, 1});
    const at::Tensor one_hot = at::zeros({groups, experts * capacity, tokens}, x.options().dtype(type)).scatter_(2, slots, 1);
    const at::Tensor chosen = at::bmm(one_hot, grouped.to(type))
                                  .view({groups, experts, capacity, width})
                                  .transpose(0, 1)
                                  .reshape({experts, groups * capacity, width});
    const at::Tensor hidden = at::gelu(at::bmm(chosen, in_.to(type)), "tanh");
    const at::Tensor result = at::bmm(hidden, out_.to(type))
                                  .view({experts, groups, capacity, width})
                                  .transpose(0, 1)
                                  .reshape({groups, experts * capacity, width});
    const at::Tensor weighted = result * routing.gates.reshape({groups, experts * capacity, 1}).to(type);
    return at::bmm(one_hot.transpose(1, 2), weighted).view_as(x);
}

at::Tensor Block::forward(const at::Tensor& input, const Precision& precision, Auxiliary& auxiliary) const
{
    const at::Tensor x = input + attention(layer_norm(input, attention_norm_, {}), precision);
    return x + feed_forward(layer_norm(x, ffn_norm_, {}), precision, auxiliary);
}

at::Tensor Block::feed_forward(const at::Tensor& normed, const Precision& precision, Auxiliary& auxiliary) const
{
    return sparse_ ? sparse_ffn(normed, precision, auxiliary) : dense_ffn(normed, precision);
}

}  // namespace imprint::model
