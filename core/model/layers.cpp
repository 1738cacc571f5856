// SPDX-License-Identifier: Apache-2.0
// Attention, feed-forward and the mixture of experts: products and attention are libtorch's, the rest our operators.
#include "core/model/layers.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/base/error.h"
#include "kernels/dispatch.h"
#include "kernels/layer_norm.h"

namespace imprint::model {

at::Tensor widened(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

at::Tensor within(const at::Tensor& x, double low, double high)
{
    if (!x.is_meta())
        return x.clamp(low, high);
    return x * ((x > low) * (x < high));  // the way back through a clamp has no body there outside Python
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias, const Precision& precision)
{
    const auto type = precision.products;
    const at::Tensor wide = at::linear(x.to(type), kernel.to(type));
    return bias.defined() ? widened(wide) + bias : wide;
}

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias, double epsilon)
{
    return kernels::layer_norm(x.contiguous(), scale, bias, epsilon);
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias)
{
    if (!q.is_meta())
        return at::scaled_dot_product_attention(q, k, v, bias.defined() ? std::optional(bias) : std::nullopt);
    // Neither has libtorch's attention all its parts there.
    const at::Tensor scores = at::matmul(q, k.transpose(-2, -1)) / std::sqrt(static_cast<double>(q.size(-1)));
    return at::matmul(at::softmax(bias.defined() ? scores + bias : scores, -1), v);
}

at::Tensor BlockMatrix::dense(const at::Tensor& x, const Precision& precision) const
{
    if (!lora_down.defined())
        return linear(x, kernel, bias, precision);
    const at::Tensor adapted = linear(linear(x, lora_down, {}, precision), lora_up, {}, precision) * lora_scale;
    return linear(x, kernel, bias, precision) + adapted;
}

at::Tensor BlockMatrix::by_expert(const at::Tensor& x, const Precision& precision) const
{
    const auto type = precision.products;
    at::Tensor result = at::bmm(x.to(type), kernel.to(type));
    if (lora_down.defined())
        result = result + at::bmm(at::bmm(x.to(type), lora_down.to(type)), lora_up.to(type)) * lora_scale;
    return bias.defined() ? widened(result) + bias : result;
}

Block::Block(const ModelConfig& config, const Parameters& parameters, int layer)
    : config_(config), layer_(layer), sparse_(config.sparse(layer))
{
    const auto get = [&](const std::string& name) { return parameters.at("encoder." + std::to_string(layer) + "." + name); };
    const auto norm = [&](const std::string& name) {
        return Norm{get(name + ".scale"), config.use_bias ? get(name + ".bias") : at::Tensor()};
    };
    const auto matrix = [&](const std::string& part, const std::string& short_name) {
        const std::string name = part + short_name;
        BlockMatrix result;
        result.kernel = get(name + ".kernel");
        if (config.use_bias)
            result.bias = get(name + ".bias");
        if (config.adapts(short_name)) {
            result.lora_down = get(name + ".lora_down");
            result.lora_up = get(name + ".lora_up");
            result.lora_scale = config.lora_alpha / config.lora_rank;
        }
        return result;
    };
    attention_norm_ = norm("attention.norm");
    q_ = matrix("attention.", "q");
    k_ = matrix("attention.", "k");
    v_ = matrix("attention.", "v");
    o_ = matrix("attention.", "o");
    if (config.qk_norm) {
        q_norm_ = get("attention.q_norm.scale");
        k_norm_ = get("attention.k_norm.scale");
    }
    ffn_norm_ = norm("ffn.norm");
    if (sparse_)
        router_ = get("ffn.router.kernel");
    in_ = matrix("ffn.", "in");
    out_ = matrix("ffn.", "out");
}

at::Tensor Block::attention(const at::Tensor& x, const Precision& precision, const at::Tensor& attention_bias) const
{
    const int64_t batch = x.size(0), tokens = x.size(1), head = config_.head_dim();
    const at::Tensor narrow = x.to(precision.products);  // once for all three
    const auto split = [&](const BlockMatrix& matrix, const at::Tensor& norm) {
        at::Tensor part = matrix.dense(narrow, precision).to(precision.products).view({batch, tokens, config_.heads, head});
        if (norm.defined())
            part = layer_norm(part, norm, {});
        return part.transpose(1, 2);
    };
    const at::Tensor mixed = attend(split(q_, q_norm_), split(k_, k_norm_), split(v_, {}),
                                    attention_bias.defined() ? attention_bias.to(precision.products) : attention_bias);
    return o_.dense(mixed.transpose(1, 2).reshape({batch, tokens, config_.width}), precision);
}

at::Tensor Block::dense_ffn(const at::Tensor& x, const Precision& precision) const
{
    return out_.dense(at::gelu(in_.dense(x, precision), "tanh"), precision);
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
    const Routing routing = route(grouped, router_, capacity, config_);
    const auto add = [](at::Tensor& sum, const at::Tensor& value) {
        if (value.defined())
            sum = sum.defined() ? sum + value : value;
    };
    add(auxiliary.z_loss, routing.z_loss);
    add(auxiliary.balance_loss, routing.balance_loss);
    if (auxiliary.probing)
        auxiliary.probes.push_back(probe(routing, tokens, layer_));

    const auto type = precision.products;
    const at::Tensor rows = kernels::dispatch_rows(grouped.to(type).contiguous(), routing.slots);
    const at::Tensor hidden = at::gelu(in_.by_expert(rows.view({experts, groups * capacity, width}), precision), "tanh");
    const at::Tensor result = out_.by_expert(hidden, precision).to(type).view({experts, groups, capacity, width});
    at::Tensor combined = kernels::combine_rows(result.contiguous(), routing.gates, routing.slots, tokens);
    if (config_.normalise_gates) {
        const at::Tensor ones = at::ones({experts, groups, capacity, 1}, routing.gates.options());
        const at::Tensor sums = kernels::combine_rows(ones, routing.gates, routing.slots, tokens);
        combined = combined / (sums + (sums == 0).to(sums.scalar_type()));
    }
    return combined.view_as(x);
}

at::Tensor Block::forward(const at::Tensor& input, const Precision& precision, Auxiliary& auxiliary,
                          const at::Tensor& attention_bias) const
{
    const at::Tensor x = input + attention(attention_norm_(input), precision, attention_bias);
    return x + feed_forward(ffn_norm_(x), precision, auxiliary);
}

at::Tensor Block::feed_forward(const at::Tensor& normed, const Precision& precision, Auxiliary& auxiliary) const
{
    return sparse_ ? sparse_ffn(normed, precision, auxiliary) : dense_ffn(normed, precision);
}

}  // namespace imprint::model
