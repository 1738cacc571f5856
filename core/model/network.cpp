// SPDX-License-Identifier: Apache-2.0
// Embedding, the stack of blocks, pooling and heads. Source: imp_method.md sections 1.2 to 1.6.
#include "core/model/network.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/base/error.h"

namespace imprint::model {
namespace {

// A gate that closes altogether stops the gradient of what it shuts out, and never opens again.
constexpr double kGateFloor = 0.1;

/// Row of a position table for each of n coordinates: floor(i · buckets / n).
at::Tensor bucket_rows(int64_t n, int64_t buckets, at::Device device)
{
    return at::arange(n, at::TensorOptions(at::kLong).device(device)).mul_(buckets).div_(n, "floor");
}

at::Tensor unit(const at::Tensor& x)
{
    return x / (x.norm(2, {-1}, true) + 1e-6);
}

/// DropToken: only the kept tokens go on, each with its own coordinate.
void drop(at::Tensor& tokens, at::Tensor& positions, const at::Tensor& kept)
{
    const auto take = [&](const at::Tensor& from) {
        return from.expand({kept.size(0), from.size(1), from.size(2)})
            .gather(1, kept.unsqueeze(-1).expand({kept.size(0), kept.size(1), from.size(2)}));
    };
    tokens = take(tokens);
    positions = take(positions);
}

}  // namespace

Network::Network(ModelConfig config, Parameters parameters) : config_(std::move(config)), parameters_(std::move(parameters))
{
    for (int layer = 0; layer < config_.layers; ++layer)
        blocks_.emplace_back(config_, parameters_, layer);
}

Network Network::with_converted_matrices() const
{
    Parameters converted = parameters_;
    for (const auto& spec : parameter_specs(config_))
        if (spec.decays && !spec.full_precision)
            converted[spec.name] = converted[spec.name].to(precision_.products);
    Network network(config_, std::move(converted));
    network.set_precision(precision_);
    return network;
}

const at::Tensor& Network::get(const std::string& name) const
{
    const auto found = parameters_.find(name);
    IMPRINT_ASSERT(found != parameters_.end());
    return found->second;
}

at::Tensor Network::temperature(const std::string& pair) const { return at::relu(get("temperature." + pair)) + 1e-6; }

at::Tensor Network::concept_of(const at::Tensor& logits) const
{
    const at::Tensor weights = at::softmax(logits.to(at::kFloat) / config_.concept_temperature, -1);
    return unit(at::matmul(weights, get("concept.class_text")).mean(1));
}

at::Tensor Network::vision_positions(int64_t frames, int64_t rows, int64_t columns) const
{
    const int64_t width = config_.width;
    const auto pick = [&](const char* axis, int64_t n, int64_t buckets) {
        const at::Tensor& table = get(std::string("vision.position.") + axis);
        return table.index({bucket_rows(n, buckets, table.device())});
    };
    const at::Tensor sum = pick("time", frames, config_.time_buckets).view({frames, 1, 1, width})
                           + pick("row", rows, config_.row_buckets).view({1, rows, 1, width})
                           + pick("column", columns, config_.column_buckets).view({1, 1, columns, width});
    return sum.reshape({1, frames * rows * columns, width});
}

Encoding Network::encode(const std::string& modality, at::Tensor tokens, const at::Tensor& positions,
                         const at::Tensor& extra_token) const
{
    const auto name = [&](const char* part) { return modality + "." + part; };
    if (modality != "text")
        tokens = linear(tokens, get(name("input.kernel")), get(name("input.bias")), precision_);
    tokens = tokens + layer_norm(positions, get(name("position.norm.scale")), get(name("position.norm.bias")));
    if (extra_token.defined())
        tokens = at::cat({extra_token.unsqueeze(1), tokens}, 1);

    at::Tensor x = linear(tokens, get(name("pre.kernel")), get(name("pre.bias")), precision_);
    Encoding result;
    for (const Block& block : blocks_)
        x = block.forward(x, precision_, result.auxiliary);
    x = layer_norm(x, get("encoder.norm.scale"), get("encoder.norm.bias"));
    // The post-encoder projection is affine, so projecting the mean is projecting every token and then taking the mean.
    result.pooled = linear(x.to(at::kFloat).mean(1), get(name("post.kernel")), get(name("post.bias")), precision_);

    const at::Tensor hidden = at::gelu(linear(result.pooled, get(name("head.hidden.kernel")), get(name("head.hidden.bias")),
                                              precision_), "tanh");
    const at::Tensor out = linear(hidden, get(name("head.out.kernel")), get(name("head.out.bias")), precision_);
    result.own = unit(layer_norm(out, get(name("head.norm.scale")), get(name("head.norm.bias"))));
    result.vectors = result.own;
    return result;
}

Network::MapTokens Network::map_tokens(const at::Tensor& map, const std::optional<at::Tensor>& kept) const
{
    IMPRINT_ASSERT(map.dim() == 5 && config_.vision_stem == VisionStem::Hybrid);
    const int64_t frames = map.size(1), rows = map.size(2), columns = map.size(3);
    MapTokens tokens{map.reshape({map.size(0), frames * rows * columns, map.size(4)}), vision_positions(frames, rows, columns)};
    if (kept)
        drop(tokens.values, tokens.positions, *kept);
    return tokens;
}

Encoding Network::encode_map_tokens(const MapTokens& tokens, const at::Tensor& concept_vector,
                                    const std::optional<at::Tensor>& concept_seen) const
{
    const at::Tensor values = (tokens.values.to(at::kFloat) - get("vision.map_mean")) / get("vision.map_deviation");
    const at::Tensor seen = concept_seen ? concept_vector * *concept_seen : concept_vector;
    const at::Tensor concept_token = linear(seen, get("concept.input.kernel"), get("concept.input.bias"), precision_);
    Encoding result = encode("vision", values, tokens.positions, concept_token);
    const at::Tensor open = at::sigmoid(linear(result.pooled, get("concept.gate.kernel"), get("concept.gate.bias"), {}));
    result.gate = kGateFloor + (1 - 2 * kGateFloor) * open;
    result.vectors = unit(result.gate * concept_vector + (1 - result.gate) * result.own);
    return result;
}

Encoding Network::encode_map(const at::Tensor& map, const at::Tensor& concept_vector, const std::optional<at::Tensor>& kept,
                             const std::optional<at::Tensor>& concept_seen) const
{
    return encode_map_tokens(map_tokens(map, kept), concept_vector, concept_seen);
}

Encoding Network::encode_pixels(const at::Tensor& pixels, const std::optional<at::Tensor>& kept) const
{
    IMPRINT_ASSERT(pixels.dim() == 5 && config_.vision_stem == VisionStem::Patch);
    const int64_t f = config_.patch_frames, p = config_.patch_size;
    at::Tensor clip = pixels;
    if (clip.size(1) < f)
        clip = clip.repeat({1, f, 1, 1, 1}).narrow(1, 0, f);
    const int64_t batch = clip.size(0), frames = clip.size(1) / f, rows = clip.size(2) / p, columns = clip.size(3) / p;
    const at::Tensor scaled = clip.to(at::kFloat) / 127.5 - 1;
    // Patch vectors run (time, row, column, channel), last index fastest.
    at::Tensor tokens = scaled.view({batch, frames, f, rows, p, columns, p, 3})
                            .permute({0, 1, 3, 5, 2, 4, 6, 7})
                            .reshape({batch, frames * rows * columns, f * p * p * 3});
    at::Tensor positions = vision_positions(frames, rows, columns);
    if (kept)
        drop(tokens, positions, *kept);
    return encode("vision", tokens, positions, {});
}

Encoding Network::encode_spectrogram(const at::Tensor& spectrogram) const
{
    const int64_t p = config_.sound_patch, batch = spectrogram.size(0);
    const int64_t times = spectrogram.size(1) / p, bands = spectrogram.size(2) / p;
    const at::Tensor standard = (spectrogram - get("sound.mel_mean")) / get("sound.mel_deviation");
    const at::Tensor tokens = standard.view({batch, times, p, bands, p}).permute({0, 1, 3, 2, 4}).reshape({batch, times * bands, p * p});
    // Time rows count patches of real seconds (not a share of the clip): a short sound must not look like a slow one.
    const at::Tensor time = get("sound.position.time").narrow(0, 0, times).view({times, 1, config_.width});
    const at::Tensor& table = get("sound.position.frequency");
    const at::Tensor frequency = table.index({bucket_rows(bands, config_.sound_frequency_buckets, table.device())});
    const at::Tensor positions = (time + frequency.unsqueeze(0)).reshape({1, times * bands, config_.width});
    return encode("sound", tokens, positions, {});
}

Encoding Network::encode_text(const at::Tensor& ids) const
{
    IMPRINT_ASSERT(ids.dim() == 2 && ids.size(1) >= 1 && ids.size(1) <= config_.max_text_tokens);
    at::Tensor tokens = get("text.table").index({ids});
    if (config_.scale_text)
        tokens = tokens * std::sqrt(static_cast<double>(config_.width));
    const at::Tensor positions = get("text.position").narrow(0, 0, ids.size(1)).unsqueeze(0);
    return encode("text", tokens, positions, {});
}

}  // namespace imprint::model
