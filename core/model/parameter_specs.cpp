// SPDX-License-Identifier: Apache-2.0
// The table of tensors that a configuration implies.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/model/config.h"

namespace imprint::model {

int64_t ParameterSpec::count() const { return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>()); }

namespace {

using Init = ParameterSpec::Init;

class SpecList {
public:
    explicit SpecList(const ModelConfig& config) : config_(config) { }

    ParameterSpec& add(const std::string& name, std::vector<int64_t> shape, Init init, double scale)
    {
        ParameterSpec spec;
        spec.name = name;
        spec.shape = std::move(shape);
        spec.init = init;
        spec.scale = scale;
        return specs.emplace_back(std::move(spec));
    }
    void matrix(const std::string& name, std::vector<int64_t> shape, double fan_in)
    {
        add(name, std::move(shape), Init::TruncatedNormal, 1.0 / std::sqrt(fan_in)).decays = true;
    }
    void bias(const std::string& name, std::vector<int64_t> shape)
    {
        add(name + ".bias", std::move(shape), Init::Zeros, 0).full_precision = true;
    }
    void linear(const std::string& name, int in, int out)
    {
        matrix(name + ".kernel", {out, in}, in);
        bias(name, {out});
    }
    void norm(const std::string& name, int width, bool with_bias)
    {
        add(name + ".scale", {width}, Init::Ones, 0).full_precision = true;
        if (with_bias)
            bias(name, {width});
    }
    void table(const std::string& name, int rows)
    {
        add(name, {rows, config_.width}, Init::Normal, 1.0 / std::sqrt(config_.width));
    }
    ParameterSpec& given(const std::string& name, std::vector<int64_t> shape, bool full_precision)
    {
        auto& spec = add(name, std::move(shape), Init::Zeros, 0);
        spec.frozen = true;
        spec.full_precision = full_precision;
        return spec;
    }
    void block(int layer);
    void trunk_tail();
    void sound_stem();
    void modality(const std::string& name);
    void stems();
    void heads();

    std::vector<ParameterSpec> specs;

private:
    /// Two layers from `in` numbers past the blocks into the joint space.
    void shortcut(const std::string& name, int in, int hidden)
    {
        linear(name + ".hidden", in, hidden);
        linear(name + ".out", hidden, config_.joint_dim);
        norm(name + ".norm", config_.joint_dim, true);
    }
    void head(const std::string& name)
    {
        linear(name + ".hidden", config_.width, config_.head_width);
        linear(name + ".out", config_.head_width, config_.joint_dim);
        norm(name + ".norm", config_.joint_dim, true);
    }
    void dense(const std::string& block, const std::string& part, const std::string& matrix_name, int64_t in, int64_t out,
               double fan_in);
    void experts(const std::string& block, const std::string& matrix_name, int64_t in, int64_t out);

    const ModelConfig& config_;
};

void SpecList::dense(const std::string& block, const std::string& part, const std::string& matrix_name, int64_t in, int64_t out,
                     double fan_in)
{
    const std::string name = block + part + matrix_name;
    matrix(name + ".kernel", {out, in}, fan_in);
    if (config_.use_bias)
        bias(name, {out});
    if (!config_.adapts(matrix_name))
        return;
    const int64_t rank = config_.lora_rank;
    for (const bool up : {false, true}) {
        auto& spec = up ? add(name + ".lora_up", {out, rank}, Init::Zeros, 0)
                        : add(name + ".lora_down", {rank, in}, Init::Normal, 1.0 / std::sqrt(double(in)));
        spec.decays = spec.adapter = true;
    }
}

void SpecList::experts(const std::string& block, const std::string& matrix_name, int64_t in, int64_t out)
{
    const std::string name = block + "ffn." + matrix_name;
    const int64_t count = config_.experts, rank = config_.lora_rank;
    matrix(name + ".kernel", {count, in, out}, double(in));
    if (config_.use_bias)
        bias(name, {count, 1, out});
    if (!config_.adapts(matrix_name))
        return;
    for (const bool up : {false, true}) {
        auto& spec = up ? add(name + ".lora_up", {count, rank, out}, Init::Zeros, 0)
                        : add(name + ".lora_down", {count, in, rank}, Init::Normal, 1.0 / std::sqrt(double(in)));
        spec.decays = spec.adapter = true;
    }
}

void SpecList::block(int layer)
{
    const auto& c = config_;
    const std::string block = "encoder." + std::to_string(layer) + ".";
    norm(block + "attention.norm", c.width, c.use_bias);
    // JAX stores q, k, v as (width, heads, 64) and counts width × heads as their fan-in.
    for (const char* part : {"q", "k", "v"})
        dense(block, "attention.", part, c.width, c.width, double(c.width) * c.heads);
    dense(block, "attention.", "o", c.width, c.width, c.width);
    if (c.qk_norm) {
        norm(block + "attention.q_norm", c.head_dim(), false);
        norm(block + "attention.k_norm", c.head_dim(), false);
    }
    norm(block + "ffn.norm", c.width, c.use_bias);
    if (c.sparse(layer)) {
        auto& router = add(block + "ffn.router.kernel", {c.experts, c.width}, Init::Normal, 0.02);
        router.decays = router.full_precision = true;
        experts(block, "in", c.width, c.ffn_width);
        experts(block, "out", c.ffn_width, c.width);
    } else {
        dense(block, "ffn.", "in", c.width, c.ffn_width, c.width);
        dense(block, "ffn.", "out", c.ffn_width, c.width, c.ffn_width);
    }
}

void SpecList::sound_stem()
{
    const auto batch_norm = [&](const std::string& name, int channels, bool learns) {
        if (learns)
            norm(name, channels, true);
        given(name + ".batch_mean", {channels}, true);
        given(name + ".batch_deviation", {channels}, true);
    };
    const auto convolution = [&](const std::string& name, int side, int in, int out) {
        // He et al. 2015: rectifiers let half of the variance through.
        matrix(name + ".kernel", {out, side * side * in}, side * side * in / 2.0);
    };
    batch_norm("sound.stem.input", config_.mel_bands, false);
    convolution("sound.stem.0", 3, 1, config_.sound_stem_widths.front());
    batch_norm("sound.stem.0.norm", config_.sound_stem_widths.front(), true);
    for (size_t i = 1; i < config_.sound_stem_widths.size(); ++i) {
        const std::string name = "sound.stem." + std::to_string(i);
        const int in = config_.sound_stem_widths[i - 1], out = config_.sound_stem_widths[i];
        convolution(name + ".first", 3, in, out);
        batch_norm(name + ".first.norm", out, true);
        convolution(name + ".second", 3, out, out);
        batch_norm(name + ".second.norm", out, true);
        convolution(name + ".beside", 1, in, out);
    }
}

void SpecList::modality(const std::string& name)
{
    const auto& c = config_;
    if (c.aggregation_token)  // Glorot: variance 2 / (fan in + fan out) of a row
        add(name + ".aggregation_token", {1, c.width}, Init::TruncatedNormal, std::sqrt(2.0 / (1 + c.width)));
    linear(name + ".pre", c.width, c.width);
    linear(name + ".post", c.width, c.width);
    if (c.common_space == CommonSpace::Joint) {
        head(name + ".head");
        return;
    }
    for (const auto& target : c.modalities())
        if (target != name)
            head(name + ".to_" + target);
}

void SpecList::trunk_tail()
{
    // A 1×1 convolution of the trunk and what is added to it: `up` · `down`, zeros at first, and to its bias.
    const auto pointwise = [&](const std::string& name, int64_t in, int64_t out) {
        const std::string given_name = kTrunkPrefix + name, own = "vision.tail." + name;
        given(given_name + ".weight", {out, in}, false).given_matrix = true;
        given(given_name + ".bias", {out}, false);
        const int64_t rank = std::min<int64_t>(config_.vision_tail_rank, std::min(in, out));
        add(own + ".down", {rank, in}, Init::Normal, 1.0 / std::sqrt(double(in))).decays = true;
        add(own + ".up", {out, rank}, Init::Zeros, 0).decays = true;
        bias(own, {out});
    };
    for (const TailBlock& block : tail_blocks(config_)) {
        pointwise(block.name + "expand", block.in, block.wide);
        given(kTrunkPrefix + block.name + "depthwise.weight", {block.kernel, block.kernel, block.wide}, false);
        given(kTrunkPrefix + block.name + "depthwise.bias", {block.wide}, false);
        pointwise(block.name + "project", block.wide, block.out);
    }
    pointwise("head", config_.vision_tail_widths.back(), config_.trunk_channels);
}

void SpecList::stems()
{
    const auto& c = config_;
    if (c.vision_stem == VisionStem::Hybrid) {
        given("vision.map_mean", {c.trunk_channels}, true);
        given("vision.map_deviation", {c.trunk_channels}, true);
        linear("vision.input", c.trunk_channels, c.width);
        given("concept.class_text", {c.trunk_classes, c.joint_dim}, false);
        linear("concept.input", c.joint_dim, c.width);
        linear("concept.gate", c.vision_shortcut > 0 ? c.trunk_channels : c.width, 1);
        if (c.vision_shortcut > 0)
            shortcut("vision.shortcut", c.trunk_channels + c.joint_dim, c.vision_shortcut);
        if (c.own_tail())
            trunk_tail();
        if (c.vision_change)
            matrix("vision.change.kernel", {c.width, c.trunk_channels}, c.trunk_channels);
    } else {
        linear("vision.input", c.patch_frames * c.patch_size * c.patch_size * 3, c.width);
    }
    table("vision.position.time", c.time_buckets);
    table("vision.position.row", c.row_buckets);
    table("vision.position.column", c.column_buckets);
    norm("vision.position.norm", c.width, true);
    modality("vision");

    if (c.standardise_sound) {
        given("sound.mel_mean", {c.mel_bands}, true);
        given("sound.mel_deviation", {c.mel_bands}, true);
    }
    linear("sound.input", c.sound_patch * c.sound_patch, c.width);
    table("sound.position.time", c.sound_time_buckets);
    table("sound.position.frequency", c.sound_frequency_buckets);
    norm("sound.position.norm", c.width, true);
    if (c.sound_shortcut > 0)
        shortcut("sound.shortcut", c.sound_stem_widths.empty() ? kSoundStatistics * c.mel_bands : 2 * c.sound_stem_widths.back(),
                 c.sound_shortcut);
    if (!c.sound_stem_widths.empty())
        sound_stem();
    modality("sound");

    if (c.text_stem == TextStem::Hybrid) {
        given("text.concept.mean", {c.joint_dim}, true);
        linear("text.input", c.text_trunk_width, c.width);
        linear("text.concept.input", c.joint_dim, c.width);
        linear("text.concept.gate", c.width, 1);
    } else {
        table("text.table", c.vocabulary);
    }
    table("text.position", c.text_position_rows());
    norm("text.position.norm", c.width, true);
    modality("text");

    if (!c.waveform)
        return;
    linear("waveform.input", c.waveform_patch, c.width);
    table("waveform.position", c.waveform_buckets);
    norm("waveform.position.norm", c.width, true);
    modality("waveform");
}

void SpecList::heads()
{
    for (const auto& head : config_.classifiers)
        linear("classifier." + head.modality + "." + head.name, config_.width, head.classes);
    if (config_.target_classifier)
        linear("text.target", config_.width, config_.vocabulary);
    // Temperatures are stored as they are and pass a ReLU, not an exponential (section 1.6).
    for (const auto& pair : temperature_pairs(config_))
        add("temperature." + pair, {1}, Init::Constant, config_.temperature).full_precision = true;
}

}  // namespace

std::vector<TailBlock> tail_blocks(const ModelConfig& config)
{
    const auto& widths = config.vision_tail_widths;
    std::vector<TailBlock> blocks;
    for (int number = 11; number < 16; ++number) {
        TailBlock& block = blocks.emplace_back();
        block.name = "blocks." + std::to_string(number) + ".";
        block.in = number == 11 ? widths[0] : widths[1];
        block.wide = block.in * config.vision_tail_expansion;
        block.out = number == 15 ? widths[2] : widths[1];
        block.kernel = number == 15 ? 3 : 5;
        block.stride = number == 11 ? 2 : 1;
        block.residual = number > 11 && number < 15;
    }
    return blocks;
}

std::vector<ParameterSpec> parameter_specs(const ModelConfig& config)
{
    SpecList list(config);
    list.stems();
    for (int layer = 0; layer < config.layers; ++layer)
        list.block(layer);
    list.norm("encoder.norm", config.width, true);
    list.heads();
    return std::move(list.specs);
}

EncoderCount encoder_count(const ModelConfig& config)
{
    // Experts choose: a token meets `capacity_factor` experts on average. Tokens choose: at most `router_top_k`.
    const double met =
        config.router == Router::Experts ? config.capacity_factor : std::min<double>(config.router_top_k, config.capacity_factor);
    EncoderCount result;
    for (const auto& spec : parameter_specs(config)) {
        if (spec.name.rfind("encoder.", 0) != 0 || spec.adapter)
            continue;
        result.all += spec.count();
        const bool expert = spec.shape.size() == 3;
        result.active += expert ? static_cast<int64_t>(double(spec.count() / config.experts) * met) : spec.count();
    }
    return result;
}

}  // namespace imprint::model
