// SPDX-License-Identifier: Apache-2.0
// The encoder at the paper's Base size in fp32 and bf16, against the rate at which this machine multiplies matrices in that
// precision (the best of a square and of the encoder's own shape); and the shipped model with one thread and with two, in
// both precisions, and loading it. Two threads share a product, but take a pass each.
// FLOP: twice the multiplications of every product, attention's included; norms, softmaxes and activations count as nothing.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <map>
#include <memory>
#include <random>

#include "core/encoder.h"
#include "core/model/lanes.h"
#include "core/model/network.h"
#include "tests/bench/random_parameters.h"

namespace {

using namespace imprint;
using namespace imprint::model;

constexpr int kSide = 256;  // pixels: 256 tokens, the paper's item
constexpr int64_t kItemTokens = 256;

ModelConfig base()
{
    ModelConfig config;
    config.name = "imp-b";
    config.vision_stem = VisionStem::Patch;
    config.width = 768;
    config.layers = 12;
    config.heads = 12;
    config.ffn_width = 3072;
    config.sparse_layers = 0;
    config.qk_norm = false;
    config.picture_sizes = {{kSide, kSide}};
    return config;
}

/// Of one item of 256 tokens through patches, blocks and projections.
double flop_per_item(const ModelConfig& c)
{
    const double d = c.width, tokens = kItemTokens, patch = c.patch_frames * c.patch_size * c.patch_size * 3;
    const double block = 2 * tokens * (4 * d * d + 2 * d * c.ffn_width) + 4 * tokens * tokens * d;
    return c.layers * block + 2 * tokens * (patch * d + d * d) + 2 * (d * d + d * c.head_width + c.head_width * c.joint_dim);
}

at::ScalarType precision_of(benchmark::State& state) { return state.range(0) == 16 ? at::kBFloat16 : at::kFloat; }

void rate(benchmark::State& state, double flop)
{
    state.counters["FLOP/s"] = benchmark::Counter(flop, benchmark::Counter::kIsIterationInvariantRate);
}

void product(benchmark::State& state, int64_t rows, int64_t in, int64_t out)
{
    const c10::InferenceMode guard;
    at::set_num_threads(static_cast<int>(state.range(1)));
    const auto type = precision_of(state);
    const at::Tensor x = at::randn({rows, in}).to(type), kernel = at::randn({out, in}).to(type);
    at::linear(x, kernel);
    for (auto _ : state)
        benchmark::DoNotOptimize(at::linear(x, kernel));
    rate(state, 2.0 * static_cast<double>(rows * in * out));
}

const Network& base_network(at::ScalarType type)
{
    static std::map<at::ScalarType, std::unique_ptr<Network>> networks;
    auto& network = networks[type];
    if (!network) {
        static const Parameters parameters = bench::random_parameters(base());
        Network plain(base(), parameters);
        plain.set_precision({type});
        network = std::make_unique<Network>(plain.with_converted_matrices());
    }
    return *network;
}

void encoder_base(benchmark::State& state)
{
    const Network& network = base_network(precision_of(state));
    const Lanes lanes(static_cast<int>(state.range(1)));
    const int64_t batch = state.range(2), items = batch * state.range(1);
    const at::Tensor pixels = at::randint(0, 256, {batch, 1, kSide, kSide, 3}, at::kByte);
    const auto passes = [&] {
        lanes.each(static_cast<size_t>(state.range(1)), [&](size_t) {
            const c10::InferenceMode guard;
            benchmark::DoNotOptimize(network.encode_pixels(pixels).vectors);
        });
    };
    passes();
    for (auto _ : state)
        passes();
    rate(state, flop_per_item(base()) * static_cast<double>(items));
    state.counters["items/s"] = benchmark::Counter(static_cast<double>(items), benchmark::Counter::kIsIterationInvariantRate);
}

/// Noise of the shipped model's first size: what a picture shows does not change what it costs.
std::vector<media::Picture> pictures(media::Size size, int count)
{
    std::mt19937 random(1);
    std::vector<media::Picture> all;
    for (int i = 0; i < count; ++i) {
        auto bytes = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(size.width) * size.height * 3);
        for (auto& byte : *bytes)
            byte = static_cast<uint8_t>(random());
        all.push_back({size.width, size.height, 0, *bytes, bytes});
    }
    return all;
}

void shipped_model(benchmark::State& state)
{
    Encoder encoder(IMPRINT_SOURCE_DIR "/resources/models/imprint-small.safetensors",
                    {"cpu", state.range(0) == 16 ? "bf16" : "fp32", static_cast<int>(state.range(1))});
    static const auto items = pictures(encoder.picture_sizes().front(), 32);
    encoder.encode_pictures(items);
    for (auto _ : state)
        benchmark::DoNotOptimize(encoder.encode_pictures(items));
    state.counters["items/s"] =
        benchmark::Counter(static_cast<double>(items.size()), benchmark::Counter::kIsIterationInvariantRate);
}

/// From the file to an encoder that is ready for its first item, in a program that has libtorch loaded.
void shipped_model_load(benchmark::State& state)
{
    for (auto _ : state)
        Encoder encoder(IMPRINT_SOURCE_DIR "/resources/models/imprint-small.safetensors", {"cpu", "auto", 2});
}

}  // namespace

// One item a pass is how core/encoder.h runs; where a processor has no bf16, a larger batch would only take longer.
BENCHMARK_CAPTURE(product, Square, 1536, 1536, 1536)
    ->ArgNames({"bits", "threads"})
    ->ArgsProduct({{32, 16}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(product, Tall, kItemTokens, 768, 3072)
    ->ArgNames({"bits", "threads"})
    ->ArgsProduct({{32, 16}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(encoder_base)
    ->ArgNames({"bits", "threads", "batch"})
    ->ArgsProduct({{32}, {1, 2}, {1, 4}})
    ->ArgsProduct({{16}, {1, 2}, {1}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(shipped_model)
    ->ArgNames({"bits", "threads"})
    ->ArgsProduct({{32, 16}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(shipped_model_load)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_MAIN();
