// SPDX-License-Identifier: Apache-2.0
// The mixture of experts as the encoder runs it (core/model's Block), against the ways it is usually written, and against a
// dense layer of equal active parameters: 2,048 tokens, 16 experts, width 768, as one group (the paper's) and as 8 items of
// 256 tokens. All take the same fp32 routing and give the same result, which is checked before timing.
//
//   Ours, Dense         what core/model runs; Dense is the layer that a token meets: width 768, hidden 3,072
//   Loop                a loop over experts as Hugging Face's Mixtral and Qwen3-MoE and torchtitan write it: parameters are
//                       stacks [expert, in, out], and each turn takes its expert's matrix out of them
//   Separate            the best that a loop can be: a matrix for each expert (older Mixtral's ModuleList)
//   Einsum              the one-hot form of the paper's code: dispatch and combine are products with a [group, token,
//                       expert, slot] mask
//   Paper               that form in the paper's types: fp32 experts, bf16 masks, dispatch and combine
//   Products            the experts' products alone, in place and without autograd: no form can take less time
//
// bits 16: products in bf16, routing in fp32, and matrices that are bf16 already: a training run converts them once for all
// passes of a step (Network::with_converted_matrices), and every form here is given the same.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <functional>

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
    explicit Layer(bool sparse) : Layer(base_layer(sparse), bench::random_parameters(base_layer(sparse), "encoder.0.")) { }
    Layer(const ModelConfig& layer_config, Parameters layer_parameters)
        : config(layer_config), parameters(std::move(layer_parameters)), block(config, parameters, 0)
    {
    }

    /// The same with the matrices that with_converted_matrices() converts.
    Layer converted(at::ScalarType type) const
    {
        Parameters all = parameters;
        for (const auto& spec : parameter_specs(config))
            if (const auto found = all.find(spec.name); found != all.end() && spec.decays && !spec.full_precision)
                found->second = found->second.to(type);
        return {config, all};
    }

    ModelConfig config;
    Parameters parameters;
    Block block;
    const at::Tensor& get(const char* name) const { return parameters.at(std::string("encoder.0.ffn.") + name); }
};

const Layer& layer_in(bool sparse, at::ScalarType type)
{
    static const Layer layers[] = {Layer(false), Layer(true)};
    static const Layer narrow[] = {layers[0].converted(at::kBFloat16), layers[1].converted(at::kBFloat16)};
    return (type == at::kBFloat16 ? narrow : layers)[sparse ? 1 : 0];
}

at::Tensor feed_forward(bool sparse, const at::Tensor& x, at::ScalarType type)
{
    Auxiliary auxiliary;
    return layer_in(sparse, type).block.feed_forward(x, {type}, auxiliary);
}

at::Tensor ours(const at::Tensor& x, at::ScalarType type) { return feed_forward(true, x, type); }
at::Tensor dense(const at::Tensor& x, at::ScalarType type) { return feed_forward(false, x, type); }

Routing route(const at::Tensor& x)
{
    const Layer& layer = layer_in(true, at::kFloat);
    return route_experts_choice(x, layer.get("router.kernel"), expert_capacity(x.size(1), layer.config));
}

using Matrix = std::function<at::Tensor(int64_t expert)>;

at::Tensor loop_over_experts(const at::Tensor& x, at::ScalarType type, const Matrix& in, const Matrix& out)
{
    const int64_t groups = x.size(0), tokens = x.size(1), width = x.size(2);
    const Routing routing = route(x);
    const at::Tensor rows = (routing.slots + at::arange(groups).view({groups, 1, 1}) * tokens).transpose(0, 1).flatten(1);
    const at::Tensor gates = routing.gates.transpose(0, 1).flatten(1).to(type);
    const at::Tensor flat = x.reshape({groups * tokens, width}).to(type);
    at::Tensor result = at::zeros_like(flat);
    for (int64_t expert = 0; expert < rows.size(0); ++expert) {
        const at::Tensor chosen = flat.index_select(0, rows[expert]);
        const at::Tensor hidden = at::gelu(at::matmul(chosen, in(expert)), "tanh");
        const at::Tensor back = at::matmul(hidden, out(expert));
        result.index_add_(0, rows[expert], back * gates[expert].unsqueeze(1));
    }
    return result.view_as(x);
}

at::Tensor loop(const at::Tensor& x, at::ScalarType type)
{
    const auto of = [type](const char* name) -> Matrix {
        return [&stack = layer_in(true, type).get(name)](int64_t expert) { return stack.select(0, expert); };
    };
    return loop_over_experts(x, type, of("in.kernel"), of("out.kernel"));
}

at::Tensor separate(const at::Tensor& x, at::ScalarType type)
{
    // Unbound at once, the way back puts a stack together once, where Loop fills a whole stack of zeros for each expert.
    const auto of = [type](const char* name) -> Matrix {
        return [matrices = layer_in(true, type).get(name).unbind()](int64_t expert) {
            return matrices[static_cast<size_t>(expert)];
        };
    };
    return loop_over_experts(x, type, of("in.kernel"), of("out.kernel"));
}

at::Tensor one_hot_einsum(const at::Tensor& x, at::ScalarType experts, at::ScalarType ends)
{
    const Layer& layer = layer_in(true, experts);
    const Routing routing = route(x);
    const at::Tensor slots = routing.slots.unsqueeze(3);
    const at::Tensor mask =
        at::zeros({x.size(0), layer.config.experts, slots.size(2), x.size(1)}, ends).scatter_(3, slots, 1).permute({0, 3, 1, 2});
    const at::Tensor combine = mask * routing.gates.unsqueeze(1).to(ends);
    const at::Tensor chosen = at::einsum("gtd,gtec->gecd", {x.to(ends), mask}).to(experts);
    const at::Tensor hidden = at::gelu(at::einsum("gecd,edh->gech", {chosen, layer.get("in.kernel")}), "tanh");
    const at::Tensor out = at::einsum("gech,ehd->gecd", {hidden, layer.get("out.kernel")});
    return at::einsum("gecd,gtec->gtd", {out.to(ends), combine});
}

at::Tensor einsum(const at::Tensor& x, at::ScalarType type) { return one_hot_einsum(x, type, type); }
at::Tensor paper(const at::Tensor& x, at::ScalarType) { return one_hot_einsum(x, at::kFloat, at::kBFloat16); }

using Form = at::Tensor (*)(const at::Tensor&, at::ScalarType);

at::ScalarType type_of(const benchmark::State& state) { return state.range(1) == 16 ? at::kBFloat16 : at::kFloat; }

void want_gradients(const Layer& layer, bool wanted)
{
    for (const auto& [name, tensor] : layer.parameters) {
        at::Tensor parameter = tensor;
        parameter.mutable_grad().reset();
        parameter.requires_grad_(wanted);
    }
}

/// Every form is held against ours in fp32; where bf16 is in it, to what eight bits allow.
void check_against_ours(Form form, const at::Tensor& x, at::ScalarType type)
{
    const at::NoGradGuard guard;
    const at::Tensor wanted = ours(x, at::kFloat), found = form(x, type);
    const double difference = (found.to(at::kFloat) - wanted).abs().max().item<double>() / wanted.abs().max().item<double>();
    if (difference < (found.scalar_type() == at::kBFloat16 ? 2e-2 : 1e-4))
        return;
    std::fprintf(stderr, "bench_moe: a form differs from ours by %g of its largest value\n", difference);
    std::exit(1);
}

void forward(benchmark::State& state, Form form)
{
    const at::NoGradGuard guard;
    const at::Tensor x = at::randn({state.range(0), kTokens / state.range(0), 768});
    if (form != dense)
        check_against_ours(form, x, type_of(state));
    form(x, type_of(state));
    for (auto _ : state)
        benchmark::DoNotOptimize(form(x, type_of(state)));
}

void forward_backward(benchmark::State& state, Form form)
{
    const Layer& layer = layer_in(form != dense, type_of(state));
    at::Tensor x = at::randn({state.range(0), kTokens / state.range(0), 768});
    if (form != dense)
        check_against_ours(form, x, type_of(state));
    at::Tensor down = at::randn_like(x);
    want_gradients(layer, true);
    x.requires_grad_(true);
    const auto step = [&] {
        const at::Tensor result = form(x, type_of(state));
        down = down.to(result.scalar_type());
        result.backward(down);
        x.mutable_grad().reset();
        for (const auto& [name, tensor] : layer.parameters)
            at::Tensor(tensor).mutable_grad().reset();  // else the next step would also pay for adding to it
    };
    step();
    for (auto _ : state)
        step();
    want_gradients(layer, false);
}

/// Two products forwards and four backwards, each with its result in place.
void products(benchmark::State& state)
{
    const at::NoGradGuard guard;
    const auto type = type_of(state);
    const int64_t experts = 16, rows = kTokens / experts;
    at::Tensor x = at::randn({experts, rows, 768}).to(type), hidden = at::randn({experts, rows, 3072}).to(type);
    at::Tensor in = at::randn({experts, 768, 3072}).to(type), out = at::randn({experts, 3072, 768}).to(type);
    at::Tensor result = at::empty_like(x), grad_in = at::empty_like(in), grad_out = at::empty_like(out);
    const bool back = state.range(0) != 0;
    for (auto _ : state) {
        at::bmm_out(hidden, x, in);
        at::bmm_out(result, hidden, out);
        if (!back)
            continue;
        at::bmm_out(grad_out, hidden.transpose(1, 2), result);
        at::bmm_out(hidden, result, out.transpose(1, 2));
        at::bmm_out(grad_in, x.transpose(1, 2), hidden);
        at::bmm_out(result, hidden, in.transpose(1, 2));
    }
    const double flop = (back ? 12.0 : 4.0) * kTokens * 768 * 3072;
    state.counters["FLOP/s"] = benchmark::Counter(flop, benchmark::Counter::kIsIterationInvariantRate);
}

void shapes(benchmark::internal::Benchmark* benchmark, const std::vector<int64_t>& bits)
{
    benchmark->ArgNames({"groups", "bits"})->ArgsProduct({{1, 8}, bits})->Unit(benchmark::kMillisecond)->UseRealTime();
}
void both(benchmark::internal::Benchmark* benchmark) { shapes(benchmark, {32, 16}); }
void one(benchmark::internal::Benchmark* benchmark) { shapes(benchmark, {32}); }

}  // namespace

BENCHMARK_CAPTURE(forward, Ours, ours)->Apply(both);
BENCHMARK_CAPTURE(forward, Dense, dense)->Apply(both);
BENCHMARK_CAPTURE(forward_backward, Ours, ours)->Apply(both);
BENCHMARK_CAPTURE(forward_backward, Dense, dense)->Apply(both);
BENCHMARK_CAPTURE(forward_backward, Loop, loop)->Apply(both);
BENCHMARK_CAPTURE(forward_backward, Separate, separate)->Apply(both);
BENCHMARK_CAPTURE(forward_backward, Einsum, einsum)->Apply(both);
BENCHMARK_CAPTURE(forward_backward, Paper, paper)->Apply(one);
BENCHMARK(products)->ArgNames({"back", "bits"})->ArgsProduct({{0, 1}, {32, 16}})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_MAIN();
