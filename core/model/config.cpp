// SPDX-License-Identifier: Apache-2.0
// Configuration to and from JSON, and the table of tensors it implies.
#include "core/model/config.h"

#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace imprint::model {
namespace {

using nlohmann::json;

// One row per field keeps writing, reading and the refusal of unknown keys in step.
template <typename Config, typename Visit>
void visit_fields(Config& c, Visit&& visit)
{
    visit("name", c.name);
    visit("width", c.width);
    visit("layers", c.layers);
    visit("heads", c.heads);
    visit("ffn_width", c.ffn_width);
    visit("qk_norm", c.qk_norm);
    visit("sparse_layers", c.sparse_layers);
    visit("experts", c.experts);
    visit("capacity_factor", c.capacity_factor);
    visit("min_capacity", c.min_capacity);
    visit("routing_group", c.routing_group);
    visit("max_group", c.max_group);
    visit("head_width", c.head_width);
    visit("joint_dim", c.joint_dim);
    visit("vision_stem", c.vision_stem);
    visit("time_buckets", c.time_buckets);
    visit("row_buckets", c.row_buckets);
    visit("column_buckets", c.column_buckets);
    visit("patch_frames", c.patch_frames);
    visit("patch_size", c.patch_size);
    visit("max_frames", c.max_frames);
    visit("trunk_channels", c.trunk_channels);
    visit("trunk_classes", c.trunk_classes);
    visit("concept_temperature", c.concept_temperature);
    visit("picture_sizes", c.picture_sizes);
    visit("fft", c.fft);
    visit("hop", c.hop);
    visit("mel_bands", c.mel_bands);
    visit("mel_low", c.mel_low);
    visit("mel_high", c.mel_high);
    visit("sound_patch", c.sound_patch);
    visit("max_sound_patches", c.max_sound_patches);
    visit("sound_time_buckets", c.sound_time_buckets);
    visit("sound_frequency_buckets", c.sound_frequency_buckets);
    visit("vocabulary", c.vocabulary);
    visit("max_text_tokens", c.max_text_tokens);
    visit("scale_text", c.scale_text);
}

json value_of(const std::string& v) { return v; }
json value_of(int v) { return v; }
json value_of(double v) { return v; }
json value_of(bool v) { return v; }
json value_of(VisionStem v) { return v == VisionStem::Patch ? "patch" : "hybrid"; }
json value_of(RoutingGroup v) { return v == RoutingGroup::Item ? "item" : "batch"; }
json value_of(const std::vector<media::Size>& sizes)
{
    json list = json::array();
    for (const auto& size : sizes)
        list.push_back({size.width, size.height});
    return list;
}

void read(const json& j, std::string& v) { v = j.get<std::string>(); }
void read(const json& j, int& v)
{
    if (!j.is_number_integer())
        throw json::type_error::create(302, "a whole number is wanted", &j);
    const auto wide = j.get<int64_t>();
    if (wide < 0 || wide > (1 << 24))
        throw json::type_error::create(302, "out of range", &j);
    v = static_cast<int>(wide);
}
void read(const json& j, double& v) { v = j.get<double>(); }
void read(const json& j, bool& v) { v = j.get<bool>(); }
template <typename Enum>
void read_word(const json& j, Enum& v, const std::map<std::string, Enum>& words)
{
    const auto found = words.find(j.get<std::string>());
    if (found == words.end())
        throw json::type_error::create(302, "unknown word", &j);
    v = found->second;
}
void read(const json& j, VisionStem& v) { read_word(j, v, {{"patch", VisionStem::Patch}, {"hybrid", VisionStem::Hybrid}}); }
void read(const json& j, RoutingGroup& v) { read_word(j, v, {{"item", RoutingGroup::Item}, {"batch", RoutingGroup::Batch}}); }
void read(const json& j, std::vector<media::Size>& sizes)
{
    if (!j.is_array())
        throw json::type_error::create(302, "a list is wanted", &j);
    sizes.clear();
    for (const auto& pair : j) {
        if (!pair.is_array() || pair.size() != 2)
            throw json::type_error::create(302, "pairs are wanted", &j);
        read(pair[0], sizes.emplace_back().width);
        read(pair[1], sizes.back().height);
    }
}

void require(bool condition, const std::string& subject, const std::string& field, const std::string& rule)
{
    if (!condition)
        throw Error(ErrorKind::Malformed, subject, "model configuration: " + field + " " + rule,
                    "The file is damaged or was made by another version; get it again");
}

void check(const ModelConfig& c, const std::string& subject)
{
    const auto positive = [&](const char* field, int value, int most) {
        require(value >= 1 && value <= most, subject, field, "must be 1 … " + std::to_string(most));
    };
    positive("width", c.width, 16384);
    positive("layers", c.layers, 256);
    positive("heads", c.heads, 256);
    positive("ffn_width", c.ffn_width, 65536);
    positive("head_width", c.head_width, 65536);
    positive("joint_dim", c.joint_dim, 16384);
    positive("vocabulary", c.vocabulary, 1 << 20);
    positive("max_text_tokens", c.max_text_tokens, 4096);
    positive("max_frames", c.max_frames, 64);
    positive("fft", c.fft, 1 << 16);
    positive("hop", c.hop, c.fft);
    positive("mel_bands", c.mel_bands, 1024);
    positive("sound_patch", c.sound_patch, 1024);
    positive("max_sound_patches", c.max_sound_patches, 1024);
    positive("time_buckets", c.time_buckets, 4096);
    positive("row_buckets", c.row_buckets, 4096);
    positive("column_buckets", c.column_buckets, 4096);
    positive("sound_time_buckets", c.sound_time_buckets, 4096);
    positive("sound_frequency_buckets", c.sound_frequency_buckets, 4096);
    positive("patch_frames", c.patch_frames, 64);
    positive("patch_size", c.patch_size, 256);
    positive("trunk_channels", c.trunk_channels, 65536);
    positive("trunk_classes", c.trunk_classes, 1 << 20);
    positive("max_group", c.max_group, 1 << 24);
    require(c.concept_temperature > 0, subject, "concept_temperature", "must be above 0");
    require(c.width % c.heads == 0, subject, "width", "must be a multiple of heads");
    require(c.sparse_layers >= 0 && c.sparse_layers <= c.layers, subject, "sparse_layers", "must be 0 … layers");
    require(c.sparse_layers == 0 || (c.experts >= 1 && c.experts <= 1024), subject, "experts", "must be 1 … 1024");
    require(c.capacity_factor > 0 && c.capacity_factor <= c.experts, subject, "capacity_factor", "must be in (0, experts]");
    require(c.mel_bands % c.sound_patch == 0, subject, "mel_bands", "must be a multiple of sound_patch");
    require(c.mel_low >= 0 && c.mel_low < c.mel_high && c.mel_high <= media::kSampleRate / 2.0, subject, "mel_high",
            "must be above mel_low and at most 8000");
    require(!c.picture_sizes.empty() && c.picture_sizes.size() <= 64, subject, "picture_sizes", "must list 1 … 64 sizes");
    for (const auto& size : c.picture_sizes)
        require(size.width >= 32 && size.width <= 4096 && size.height >= 32 && size.height <= 4096 && size.width % 32 == 0
                    && size.height % 32 == 0,
                subject, "picture_sizes", "must be multiples of 32 up to 4096");
}

}  // namespace

json to_json(const ModelConfig& config)
{
    json out = json::object();
    visit_fields(config, [&](const char* name, const auto& value) { out[name] = value_of(value); });
    return out;
}

ModelConfig config_from_json(const json& j, const std::string& subject)
{
    require(j.is_object(), subject, "it", "must be an object");
    ModelConfig config;
    size_t known = 0;
    visit_fields(config, [&](const char* name, auto& value) {
        const auto found = j.find(name);
        if (found == j.end())
            return;  // an older checkpoint: the default is what it was made with
        ++known;
        try {
            read(*found, value);
        } catch (const json::exception&) {
            require(false, subject, name, "has the wrong type or value");
        }
    });
    require(known == j.size(), subject, "it", "names a field this version does not know");
    check(config, subject);
    return config;
}

int64_t ParameterSpec::count() const
{
    return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

namespace {

class SpecList {
public:
    explicit SpecList(const ModelConfig& config) : config_(config) {}

    void matrix(const std::string& name, std::vector<int64_t> shape, double fan_in)
    {
        specs.push_back({name, std::move(shape), ParameterSpec::Init::TruncatedNormal, 1.0 / std::sqrt(fan_in), true});
    }
    void linear(const std::string& name, int in, int out)
    {
        matrix(name + ".kernel", {out, in}, in);
        specs.push_back({name + ".bias", {out}, ParameterSpec::Init::Zeros, 0, false, false, true});
    }
    void norm(const std::string& name, int width, bool bias)
    {
        specs.push_back({name + ".scale", {width}, ParameterSpec::Init::Ones, 0, false, false, true});
        if (bias)
            specs.push_back({name + ".bias", {width}, ParameterSpec::Init::Zeros, 0, false, false, true});
    }
    void table(const std::string& name, int rows)
    {
        specs.push_back({name, {rows, config_.width}, ParameterSpec::Init::Normal, 1.0 / std::sqrt(config_.width)});
    }
    void given(const std::string& name, std::vector<int64_t> shape, bool full_precision)
    {
        specs.push_back({name, std::move(shape), ParameterSpec::Init::Zeros, 0, false, true, full_precision});
    }
    void constant(const std::string& name, double value)
    {
        specs.push_back({name, {1}, ParameterSpec::Init::Constant, value, false, false, true});
    }
    void blocks();
    void modality(const std::string& name)
    {
        linear(name + ".pre", config_.width, config_.width);
        linear(name + ".post", config_.width, config_.width);
        linear(name + ".head.hidden", config_.width, config_.head_width);
        linear(name + ".head.out", config_.head_width, config_.joint_dim);
        norm(name + ".head.norm", config_.joint_dim, true);
    }

    std::vector<ParameterSpec> specs;

private:
    const ModelConfig& config_;
};

void SpecList::blocks()
{
    const auto& c = config_;
    for (int layer = 0; layer < c.layers; ++layer) {
        const std::string block = "encoder." + std::to_string(layer) + ".";
        norm(block + "attention.norm", c.width, false);
        // JAX stores q, k, v as (width, heads, 64) and counts width × heads as their fan-in.
        for (const char* part : {"q", "k", "v"})
            matrix(block + "attention." + part + ".kernel", {c.width, c.width}, double(c.width) * c.heads);
        matrix(block + "attention.o.kernel", {c.width, c.width}, c.width);
        if (c.qk_norm) {
            norm(block + "attention.q_norm", c.head_dim(), false);
            norm(block + "attention.k_norm", c.head_dim(), false);
        }
        norm(block + "ffn.norm", c.width, false);
        if (c.sparse(layer)) {
            specs.push_back({block + "ffn.router.kernel", {c.experts, c.width}, ParameterSpec::Init::Normal, 0.02, true,
                             false, true});
            matrix(block + "ffn.in.kernel", {c.experts, c.width, c.ffn_width}, c.width);
            matrix(block + "ffn.out.kernel", {c.experts, c.ffn_width, c.width}, c.ffn_width);
        } else {
            matrix(block + "ffn.in.kernel", {c.ffn_width, c.width}, c.width);
            matrix(block + "ffn.out.kernel", {c.width, c.ffn_width}, c.ffn_width);
        }
    }
    norm("encoder.norm", c.width, true);
}


}  // namespace

std::vector<ParameterSpec> parameter_specs(const ModelConfig& c)
{
    SpecList list(c);
    if (c.vision_stem == VisionStem::Hybrid) {
        list.given("vision.map_mean", {c.trunk_channels}, true);
        list.given("vision.map_deviation", {c.trunk_channels}, true);
        list.linear("vision.input", c.trunk_channels, c.width);
        list.given("concept.class_text", {c.trunk_classes, c.joint_dim}, false);
        list.linear("concept.input", c.joint_dim, c.width);
        list.linear("concept.gate", c.width, 1);
    } else {
        list.linear("vision.input", c.patch_frames * c.patch_size * c.patch_size * 3, c.width);
    }
    list.table("vision.position.time", c.time_buckets);
    list.table("vision.position.row", c.row_buckets);
    list.table("vision.position.column", c.column_buckets);
    list.norm("vision.position.norm", c.width, true);
    list.modality("vision");

    list.given("sound.mel_mean", {c.mel_bands}, true);
    list.given("sound.mel_deviation", {c.mel_bands}, true);
    list.linear("sound.input", c.sound_patch * c.sound_patch, c.width);
    list.table("sound.position.time", c.sound_time_buckets);
    list.table("sound.position.frequency", c.sound_frequency_buckets);
    list.norm("sound.position.norm", c.width, true);
    list.modality("sound");

    list.table("text.table", c.vocabulary);
    list.table("text.position", c.max_text_tokens);
    list.norm("text.position.norm", c.width, true);
    list.modality("text");

    list.blocks();
    // Temperatures are stored as they are and pass a ReLU, not an exponential (section 1.6).
    for (const char* pair : {"picture_text", "sound_text", "text_text", "picture_sound"})
        list.constant(std::string("temperature.") + pair, 0.07);
    return std::move(list.specs);
}

EncoderCount encoder_count(const ModelConfig& config)
{
    EncoderCount result;
    for (const auto& spec : parameter_specs(config)) {
        if (spec.name.rfind("encoder.", 0) != 0)
            continue;
        result.all += spec.count();
        // With capacity factor 1 a token meets one expert on average.
        const bool expert = spec.shape.size() == 3;
        result.active += expert ? static_cast<int64_t>(spec.count() / config.experts * config.capacity_factor) : spec.count();
    }
    return result;
}

}  // namespace imprint::model
