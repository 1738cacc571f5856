// SPDX-License-Identifier: Apache-2.0
// The mixture of experts as the encoder runs it (core/model's Block), against the two ways it is usually written, and
// against a dense layer of equal active parameters: 2,048 tokens, 16 experts, width 768, as 8 items of 256 tokens (the
// paper's item) and as one group. All take the same routing and give the same result, which is checked before timing.
//
//   Ours                what core/model runs
//   Loop                a loop over the experts: select rows, two products, add rows back in place
//   Einsum              the one-hot form of the paper's code: dispatch and combine are products with a [group, token,
//                       expert, slot] mask
//   Dense               the dense layer that a token meets: width 768, hidden 3,072
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>

#include "core/model/layers.h"
#include "tests/bench/random_parameters.h"

namespace {

using namespace imprint;
using namespace imprint::model;

constexpr int kTokens = 2048;

ModelConfig base_layer(bool sparse)
{
    ModelConfig config;
    config.width = 768;
    config.heads = 12;
    config.ffn_width = 3072;
    config.layers = 1;
    config.experts = 16;
    config.sparse_layers = sparse ? 1 : 0;
    return config;
}

struct Layer {
    explicit Layer(bool sparse)
        : config(base_layer(sparse)), parameters(bench::random_parameters(config, "encoder.0.")), block(config, parameters, 0)
    {
    }

    ModelConfig config;
    Parameters parameters;
    Block block;
    const at::Tensor& get(const char* name) const { return parameters.at(std::string("encoder.0.ffn.") + name); }
};

const Layer& sparse_layer()
{
    static const Layer layer(true);
    return layer;
}
const Layer& dense_layer()
{
    static const Layer layer(false);
    return layer;
}

at::Tensor feed_forward(const Layer& layer, const at::Tensor& x)
{
    Auxiliary auxiliary;
    return layer.block.feed_forward(x, {}, auxiliary);
}

at::Tensor ours(const at::Tensor& x) { return feed_forward(sparse_layer(), x); }
at::Tensor dense(const at::Tensor& x) { return feed_forward(dense_layer(), x); }

at::Tensor loop_over_experts(const at::Tensor& x)
{
    const Layer& layer = sparse_layer();
    const int64_t groups = x.size(0), tokens = x.size(1), width = x.size(2);
    const Routing routing = route_experts_choice(x, layer.get("router.kernel"), expert_capacity(tokens, layer.config));
    const at::Tensor rows = (routing.slots + at::arange(groups).view({groups, 1, 1}) * tokens).transpose(0, 1).flatten(1);
    const at::Tensor gates = routing.gates.transpose(0, 1).flatten(1);
    const at::Tensor flat = x.reshape({groups * tokens, width});
    // Unbound at once: selecting an expert's matrix would have the way back fill a whole stack of zeros for each.
    const auto in = layer.get("in.kernel").unbind(), back = layer.get("out.kernel").unbind();
    at::Tensor result = at::zeros_like(flat);
    for (int64_t expert = 0; expert < layer.config.experts; ++expert) {
        const at::Tensor chosen = flat.index_select(0, rows[expert]);
        const at::Tensor hidden = at::gelu(at::matmul(chosen, in[static_cast<size_t>(expert)]), "tanh");
        const at::Tensor out = at::matmul(hidden, back[static_cast<size_t>(expert)]);
        result.index_add_(0, rows[expert], out * gates[expert].unsqueeze(1));
    }
    return result.view_as(x);
}

at::Tensor one_hot_einsum(const at::Tensor& x)
{
    const Layer& layer = sparse_layer();
    const int64_t tokens = x.size(1);
    const Routing routing = route_experts_choice(x, layer.get("router.kernel"), expert_capacity(tokens, layer.config));
    const at::Tensor slots = routing.slots.unsqueeze(3);
    const at::Tensor mask =
        at::zeros({x.size(0), layer.config.experts, slots.size(2), tokens}).scatter_(3, slots, 1).permute({0, 3, 1, 2});
    const at::Tensor combine = mask * routing.gates.unsqueeze(1);
    const at::Tensor chosen = at::einsum("gtd,gtec->gecd", {x, mask});
    const at::Tensor hidden = at::gelu(at::einsum("gecd,edh->gech", {chosen, layer.get("in.kernel")}), "tanh");
    const at::Tensor out = at::einsum("gech,ehd->gecd", {hidden, layer.get("out.kernel")});
    return at::einsum("gecd,gtec->gtd", {out, combine});
}

using Form = at::Tensor (*)(const at::Tensor&);

void want_gradients(const Layer& layer, bool wanted)
{
    for (const auto& [name, tensor] : layer.parameters) {
        at::Tensor parameter = tensor;
        parameter.mutable_grad().reset();
        parameter.requires_grad_(wanted);
    }
}

void check_against_ours(Form form, const at::Tensor& x)
{
    const at::NoGradGuard guard;
    const double difference = (form(x) - ours(x)).abs().max().item<double>();
    if (difference < 1e-3)
        return;
    std::fprintf(stderr, "bench_moe: a form differs from ours by %g\n", difference);
    std::exit(1);
}

void forward(benchmark::State& state, Form form)
{
    const at::NoGradGuard guard;
    const at::Tensor x = at::randn({state.range(0), kTokens / state.range(0), 768});
    if (form != dense)
        check_against_ours(form, x);
    form(x);
    for (auto _ : state)
        benchmark::DoNotOptimize(form(x));
}

void forward_backward(benchmark::State& state, Form form)
{
    const Layer& layer = form == dense ? dense_layer() : sparse_layer();
    at::Tensor x = at::randn({state.range(0), kTokens / state.range(0), 768});
    const at::Tensor down = at::randn_like(x);
    want_gradients(layer, true);
    x.requires_grad_(true);
    const auto step = [&] {
        form(x).backward(down);
        x.mutable_grad().reset();
        for (const auto& [name, tensor] : layer.parameters)
            at::Tensor(tensor).mutable_grad().reset();  // else the next step would also pay for adding to it
    };
    step();
    for (auto _ : state)
        step();
    want_gradients(layer, false);
}

void groups(benchmark::internal::Benchmark* benchmark)
{
    benchmark->ArgName("groups")->Arg(8)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();
}

}  // namespace

BENCHMARK_CAPTURE(forward, Ours, ours)->Apply(groups);
BENCHMARK_CAPTURE(forward, Loop, loop_over_experts)->Apply(groups);
BENCHMARK_CAPTURE(forward, Einsum, one_hot_einsum)->Apply(groups);
BENCHMARK_CAPTURE(forward, Dense, dense)->Apply(groups);
BENCHMARK_CAPTURE(forward_backward, Ours, ours)->Apply(groups);
BENCHMARK_CAPTURE(forward_backward, Loop, loop_over_experts)->Apply(groups);
BENCHMARK_CAPTURE(forward_backward, Einsum, one_hot_einsum)->Apply(groups);
BENCHMARK_CAPTURE(forward_backward, Dense, dense)->Apply(groups);
BENCHMARK_MAIN();
