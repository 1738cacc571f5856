// SPDX-License-Identifier: Apache-2.0
// Counts by formula: nothing here allocates a weight.
#include "core/model/model_info.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace imprint::model {
namespace {

constexpr int kCaptionTokens = 16;

// How the kinds of item are read: by which modality, and from how wide a token.
struct Kind {
    std::string modality;
    int64_t input = 0;  // 0: a table
};

Kind kind_of(const ModelConfig& c, const std::string& kind)
{
    if (kind == "picture" || kind == "clip")
        return {"vision",
                c.vision_stem == VisionStem::Hybrid ? c.trunk_channels
                                                    : int64_t{3} * c.patch_frames * c.patch_size * c.patch_size};
    if (kind == "sound")
        return {"sound", int64_t{c.sound_patch} * c.sound_patch};
    if (kind == "waveform")
        return {"waveform", c.waveform_patch};
    IMPRINT_ASSERT(kind == "text" || kind == "text_longest");
    return {"text", c.text_stem == TextStem::Hybrid ? c.text_trunk_width : 0};
}

// Rows that go through expert networks for `tokens` of one item.
double expert_rows(const ModelConfig& c, int64_t tokens)
{
    if (c.routing_group == RoutingGroup::Batch)
        return c.capacity_factor * double(tokens);
    const double capacity = std::nearbyint(c.capacity_factor * double(tokens) / c.experts);
    return c.experts * std::min(double(tokens), std::max<double>(capacity, c.min_capacity));
}

int64_t head_count(const ModelConfig& c)
{
    return c.common_space == CommonSpace::Joint ? 1 : static_cast<int64_t>(c.modalities().size()) - 1;
}

/// fp32 numbers that the blocks keep for one item: the inputs of every product, norm and activation.
double kept_numbers(const ModelConfig& c, int64_t tokens)
{
    const double t = double(tokens), d = c.width, f = c.ffn_width;
    double sum = 0;
    for (int layer = 0; layer < c.layers; ++layer) {
        const double attention = t * d * (c.qk_norm ? 8 : 6);  // two norms' inputs, q, k, v (and their norms), mixed
        sum += attention + t * d;                              // the feed-forward norm's output
        sum += c.sparse(layer) ? expert_rows(c, tokens) * (2 * d + 2 * f) + t * c.experts : t * 2 * f;
    }
    return sum;
}

/// fp32 numbers that live at the same time in a pass without a way back: in the stem, or positions and residual with what the
/// widest half of a block makes.
double peak_numbers(const ModelConfig& c, int64_t tokens, int64_t input)
{
    const double t = double(tokens), d = c.width, f = c.ffn_width;
    double most = t * (double(input) + 4 * d);
    for (int layer = 0; layer < c.layers; ++layer) {
        const double attention = t * d * 11;  // input, its norm, q, k and v, one of them before its norm, mixed, turned
        const double rows = c.sparse(layer) ? expert_rows(c, tokens) : t;
        const double wide = 6 * t * d + rows * ((c.sparse(layer) ? d : 0) + 2 * f);  // both sides of the activation
        most = std::max({most, attention, wide});
    }
    return most;
}

/// Products of the ways past the blocks, for one item.
double shortcut_products(const ModelConfig& c, const std::string& modality)
{
    const auto two_layers = [&](int64_t in, int64_t hidden) { return double(hidden) * double(in + c.joint_dim); };
    if (modality == "vision" && c.vision_shortcut > 0)
        return two_layers(c.trunk_channels + c.joint_dim, c.vision_shortcut);
    if (modality != "sound" || c.sound_shortcut == 0)
        return 0;
    const std::vector<int>& widths = c.sound_stem_widths;
    if (widths.empty())
        return two_layers(int64_t{kSoundStatistics} * c.mel_bands, c.sound_shortcut);
    // 3×3 convolutions over half as many rows and columns each: one into the first width, then two and a 1×1 beside them a block.
    const auto halved = [](int64_t n) { return (n + 1) / 2; };
    int64_t rows = halved(int64_t{c.max_sound_patches} * c.sound_patch), columns = halved(c.mel_bands);
    double products = double(rows * columns) * 9 * widths.front();
    for (size_t i = 1; i < widths.size(); ++i) {
        rows = halved(rows);
        columns = halved(columns);
        products += double(rows * columns) * widths[i] * (9.0 * widths[i - 1] + 9.0 * widths[i] + widths[i - 1]);
    }
    return products + two_layers(int64_t{2} * widths.back(), c.sound_shortcut);
}

}  // namespace

std::map<std::string, int64_t> tokens_per_item(const ModelConfig& c)
{
    const auto& size = c.picture_sizes.front();
    const int64_t extra = c.aggregation_token ? 1 : 0, text_extra = extra + (c.text_stem == TextStem::Hybrid ? 1 : 0);
    const auto vision = [&](int64_t frames) {
        if (c.vision_stem == VisionStem::Hybrid)
            return frames * (size.width / 32) * (size.height / 32) + 1 + extra;
        return std::max<int64_t>(1, frames / c.patch_frames) * (size.width / c.patch_size) * (size.height / c.patch_size) + extra;
    };
    std::map<std::string, int64_t> tokens = {
        {"picture", vision(1)},
        {"clip", vision(c.max_frames)},
        {"sound", int64_t{c.max_sound_patches} * (c.mel_bands / c.sound_patch) + extra},
        {"text", std::min(kCaptionTokens, c.max_text_tokens) + text_extra},
        {"text_longest", c.max_text_tokens + text_extra},
    };
    if (c.waveform)
        tokens["waveform"] = c.max_waveform_patches + extra;
    return tokens;
}

int64_t forward_flops(const ModelConfig& c, const std::string& kind)
{
    const auto [modality, input] = kind_of(c, kind);
    const auto tokens = tokens_per_item(c).at(kind);
    const double t = double(tokens), d = c.width, f = c.ffn_width;
    double products = t * double(input) * d + t * d * d;  // input and pre-encoder projections
    for (int layer = 0; layer < c.layers; ++layer) {
        products += 4 * t * d * d + 2 * t * t * d;  // q, k, v, o; scores and mixing
        products += c.sparse(layer) ? t * d * c.experts + expert_rows(c, tokens) * 2 * d * f : t * 2 * d * f;
        if (c.lora_rank > 0) {
            for (const auto& matrix : c.lora_matrices) {
                const bool ffn = matrix == "in" || matrix == "out";
                products += (ffn && c.sparse(layer) ? expert_rows(c, tokens) : t) * c.lora_rank * (ffn ? d + f : 2 * d);
            }
        }
    }
    products += d * d;  // post-encoder projection of the mean
    products += double(head_count(c)) * (d * c.head_width + double(c.head_width) * c.joint_dim);
    products += shortcut_products(c, modality);
    return static_cast<int64_t>(2 * products);
}

nlohmann::json model_info(const ModelConfig& config)
{
    int64_t all = 0, trainable = 0, adapters = 0;
    for (const auto& spec : parameter_specs(config)) {
        all += spec.count();
        trainable += spec.frozen ? 0 : spec.count();
        adapters += spec.adapter ? spec.count() : 0;
    }
    const EncoderCount encoder = encoder_count(config);
    nlohmann::json tokens = nlohmann::json::object(), flops = tokens, activations = tokens, inference = tokens;
    for (const auto& [kind, count] : tokens_per_item(config)) {
        tokens[kind] = count;
        flops[kind] = forward_flops(config, kind);
        const int64_t input = kind_of(config, kind).input;
        const double stem = double(count) * double(input + 3 * config.width);
        activations[kind] = static_cast<int64_t>(4 * (stem + kept_numbers(config, count)));
        inference[kind] = static_cast<int64_t>(4 * peak_numbers(config, count, input));
    }
    return {{"name", config.name},
            {"parameters", all},
            {"trainable_parameters", trainable},
            {"encoder_parameters", encoder.all},
            {"active_parameters", encoder.active},
            {"adapter_parameters", adapters},
            {"tokens", tokens},
            {"flops", flops},
            {"memory",
             {{"weights_fp32", 4 * all},
              {"weights_bf16", 2 * all},
              {"optimizer", 8 * trainable},
              {"gradients", 4 * trainable},
              {"activations", activations},
              {"inference", inference}}},
            {"config", to_json(config)}};
}

}  // namespace imprint::model
