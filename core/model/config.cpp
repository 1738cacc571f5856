// SPDX-License-Identifier: Apache-2.0
// Configuration to and from JSON, and the rules it must keep.
#include "core/model/config.h"

#include <algorithm>
#include <map>

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
    visit("concept_gate_floor", c.concept_gate_floor);
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
    visit("router", c.router);
    visit("router_top_k", c.router_top_k);
    visit("batch_priority", c.batch_priority);
    visit("normalise_gates", c.normalise_gates);
    visit("sparse_placement", c.sparse_placement);
    visit("use_bias", c.use_bias);
    visit("aggregation_token", c.aggregation_token);
    visit("lora_rank", c.lora_rank);
    visit("lora_alpha", c.lora_alpha);
    visit("lora_matrices", c.lora_matrices);
    visit("common_space", c.common_space);
    visit("temperature", c.temperature);
    visit("classifiers", c.classifiers);
    visit("target_classifier", c.target_classifier);
    visit("standardise_sound", c.standardise_sound);
    visit("sound_time_by_share", c.sound_time_by_share);
    visit("waveform", c.waveform);
    visit("waveform_patch", c.waveform_patch);
    visit("waveform_buckets", c.waveform_buckets);
    visit("max_waveform_patches", c.max_waveform_patches);
    visit("text_rows", c.text_rows);
    visit("text_stem", c.text_stem);
    visit("text_trunk_width", c.text_trunk_width);
    visit("text_trunk_layers", c.text_trunk_layers);
    visit("text_trunk_heads", c.text_trunk_heads);
    visit("clip_gate_ceiling", c.clip_gate_ceiling);
    visit("text_gate_floor", c.text_gate_floor);
    visit("vision_shortcut", c.vision_shortcut);
    visit("vision_change", c.vision_change);
    visit("vision_tail_rank", c.vision_tail_rank);
    visit("vision_tail_widths", c.vision_tail_widths);
    visit("vision_tail_expansion", c.vision_tail_expansion);
    visit("sound_shortcut", c.sound_shortcut);
    visit("sound_stem_widths", c.sound_stem_widths);
    visit("sound_stem_floor", c.sound_stem_floor);
    visit("sound_blocks_share", c.sound_blocks_share);
}

// The fields that came after format 1, each with the format that brought it.
struct AddedField {
    int format;
    const char* name;
};
constexpr AddedField kAdded[] = {
    {2, "router"},           {2, "router_top_k"},      {2, "batch_priority"},     {2, "normalise_gates"},
    {2, "sparse_placement"}, {2, "use_bias"},          {2, "aggregation_token"},  {2, "lora_rank"},
    {2, "lora_alpha"},       {2, "lora_matrices"},     {2, "common_space"},       {2, "temperature"},
    {2, "classifiers"},      {2, "target_classifier"}, {2, "standardise_sound"},  {2, "sound_time_by_share"},
    {2, "waveform"},         {2, "waveform_patch"},    {2, "waveform_buckets"},   {2, "max_waveform_patches"},
    {2, "text_rows"},        {3, "text_stem"},         {3, "text_trunk_width"},   {3, "text_trunk_layers"},
    {3, "text_trunk_heads"}, {4, "clip_gate_ceiling"}, {4, "text_gate_floor"},    {4, "vision_shortcut"},
    {4, "vision_change"},    {5, "vision_tail_rank"},  {5, "vision_tail_widths"}, {5, "vision_tail_expansion"},
    {6, "sound_shortcut"},   {7, "sound_stem_widths"}, {7, "sound_stem_floor"},
    {8, "sound_blocks_share"}};

json value_of(const std::string& v) { return v; }
json value_of(int v) { return v; }
json value_of(double v) { return v; }
json value_of(bool v) { return v; }
json value_of(VisionStem v) { return v == VisionStem::Patch ? "patch" : "hybrid"; }
json value_of(TextStem v) { return v == TextStem::Pieces ? "pieces" : "hybrid"; }
json value_of(RoutingGroup v) { return v == RoutingGroup::Item ? "item" : "batch"; }
json value_of(Router v) { return v == Router::Experts ? "experts" : "tokens"; }
json value_of(SparsePlacement v) { return v == SparsePlacement::Last ? "last" : "uniform"; }
json value_of(CommonSpace v) { return v == CommonSpace::Joint ? "joint" : "disjoint"; }
json value_of(const std::vector<std::string>& v) { return v; }
json value_of(const std::vector<int>& v) { return v; }
json value_of(const std::vector<ClassifierHead>& heads)
{
    json list = json::array();
    for (const auto& head : heads)
        list.push_back({{"modality", head.modality}, {"name", head.name}, {"classes", head.classes}});
    return list;
}
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
void read(const json& j, TextStem& v) { read_word(j, v, {{"pieces", TextStem::Pieces}, {"hybrid", TextStem::Hybrid}}); }
void read(const json& j, RoutingGroup& v) { read_word(j, v, {{"item", RoutingGroup::Item}, {"batch", RoutingGroup::Batch}}); }
void read(const json& j, Router& v) { read_word(j, v, {{"experts", Router::Experts}, {"tokens", Router::Tokens}}); }
void read(const json& j, SparsePlacement& v)
{
    read_word(j, v, {{"last", SparsePlacement::Last}, {"uniform", SparsePlacement::Uniform}});
}
void read(const json& j, CommonSpace& v)
{
    read_word(j, v, {{"joint", CommonSpace::Joint}, {"disjoint", CommonSpace::Disjoint}});
}
void read(const json& j, std::vector<std::string>& v) { v = j.get<std::vector<std::string>>(); }
void read(const json& j, std::vector<int>& v)
{
    if (!j.is_array())
        throw json::type_error::create(302, "a list is wanted", &j);
    v.clear();
    for (const auto& entry : j)
        read(entry, v.emplace_back());
}
void read(const json& j, std::vector<ClassifierHead>& heads)
{
    if (!j.is_array())
        throw json::type_error::create(302, "a list is wanted", &j);
    heads.clear();
    for (const auto& entry : j) {
        if (!entry.is_object() || entry.size() != 3)
            throw json::type_error::create(302, "modality, name and classes are wanted", &entry);
        ClassifierHead& head = heads.emplace_back();
        read(entry.at("modality"), head.modality);
        read(entry.at("name"), head.name);
        read(entry.at("classes"), head.classes);
    }
}
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

bool is_name(const std::string& text)
{
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

void check_options(const ModelConfig& c, const std::string& subject)
{
    require(c.router == Router::Experts || (c.router_top_k >= 1 && c.router_top_k <= c.experts), subject, "router_top_k",
            "must be 1 … experts");
    require(c.sparse_placement == SparsePlacement::Last || c.sparse_layers == 0 || c.layers % c.sparse_layers == 0, subject,
            "sparse_layers", "must divide layers where the sparse ones are spread");
    require(c.lora_rank >= 0 && c.lora_rank <= c.width, subject, "lora_rank", "must be 0 … width");
    require(c.lora_alpha > 0 && c.lora_alpha <= 1e6, subject, "lora_alpha", "must be in (0, 1000000]");
    static const std::vector<std::string> matrices = {"q", "k", "v", "o", "in", "out"};
    for (const auto& name : c.lora_matrices)
        require(std::find(matrices.begin(), matrices.end(), name) != matrices.end(), subject, "lora_matrices",
                "may name q, k, v, o, in and out");
    require(c.temperature > 0 && c.temperature <= 100, subject, "temperature", "must be in (0, 100]");
    require(c.common_space == CommonSpace::Joint || c.vision_stem == VisionStem::Patch, subject, "common_space",
            "must be joint with the hybrid stem, whose concept is a vector of the joint space");
    require(c.common_space == CommonSpace::Joint || c.text_stem == TextStem::Pieces, subject, "common_space",
            "must be joint with the hybrid text stem, whose concept is a vector of the joint space");
    require(c.text_stem == TextStem::Pieces || c.text_trunk_width == c.joint_dim, subject, "text_trunk_width",
            "must be joint_dim: the sentence vector is a vector of the joint space");
    require(c.text_trunk_heads >= 1 && c.text_trunk_width % c.text_trunk_heads == 0, subject, "text_trunk_width",
            "must be a multiple of text_trunk_heads");
    require(c.sound_time_by_share || c.max_sound_patches <= c.sound_time_buckets, subject, "max_sound_patches",
            "must be at most sound_time_buckets");
    const auto known = c.modalities();
    require(c.classifiers.size() <= 1024, subject, "classifiers", "must list at most 1024");
    for (size_t i = 0; i < c.classifiers.size(); ++i) {
        const auto& head = c.classifiers[i];
        require(std::find(known.begin(), known.end(), head.modality) != known.end() && is_name(head.name) && head.classes >= 1
                    && head.classes <= 1 << 20,
                subject, "classifiers", "must have a modality of the network, a plain name and 1 … 1048576 classes");
        for (size_t other = 0; other < i; ++other)
            require(c.classifiers[other].modality != head.modality || c.classifiers[other].name != head.name, subject,
                    "classifiers", "must not list one twice");
    }
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
    positive("text_trunk_width", c.text_trunk_width, 16384);
    positive("text_trunk_layers", c.text_trunk_layers, 256);
    positive("text_trunk_heads", c.text_trunk_heads, 256);
    require(c.concept_gate_floor >= 0 && c.concept_gate_floor <= 0.9, subject, "concept_gate_floor", "must lie in 0 … 0.9");
    require(c.clip_gate_ceiling >= std::max(0.1, c.concept_gate_floor) && c.clip_gate_ceiling <= 0.9, subject,
            "clip_gate_ceiling", "must lie between concept_gate_floor (at least 0.1) and 0.9");
    require(c.text_gate_floor >= 0 && c.text_gate_floor <= 0.9, subject, "text_gate_floor", "must lie in 0 … 0.9");
    require(c.vision_shortcut >= 0 && c.vision_shortcut <= 65536, subject, "vision_shortcut", "must be 0 … 65536");
    require(c.sound_shortcut >= 0 && c.sound_shortcut <= 65536, subject, "sound_shortcut", "must be 0 … 65536");
    require(c.sound_shortcut == 0 || c.common_space == CommonSpace::Joint, subject, "sound_shortcut",
            "must be 0 in a disjoint space, where sounds have no vector of their own");
    require(c.sound_stem_widths.empty() || c.sound_shortcut > 0, subject, "sound_stem_widths",
            "needs a sound_shortcut, which is what hears through it");
    for (const int width : c.sound_stem_widths)
        positive("sound_stem_widths", width, 4096);
    require(c.sound_stem_widths.size() <= 8, subject, "sound_stem_widths", "must be at most 8 numbers");
    require(c.sound_stem_floor >= -13.8 && c.sound_stem_floor <= 10, subject, "sound_stem_floor", "must lie in -13.8 … 10");
    require(c.sound_blocks_share >= 0 && c.sound_blocks_share <= 4, subject, "sound_blocks_share", "must lie in 0 … 4");
    require(c.sound_blocks_share == 1 || c.sound_shortcut > 0, subject, "sound_blocks_share",
            "needs sound_shortcut, beside which it is a share");
    require(c.vision_tail_rank >= 0 && c.vision_tail_rank <= 4096, subject, "vision_tail_rank", "must be 0 … 4096");
    require(c.vision_tail_rank == 0 || c.vision_stem == VisionStem::Hybrid, subject, "vision_tail_rank",
            "must be 0 without the hybrid stem, whose trunk it adapts");
    require(c.vision_tail_widths.size() == 3, subject, "vision_tail_widths", "must list 3");
    for (const int width : c.vision_tail_widths)
        positive("vision_tail_widths", width, 65536);
    positive("vision_tail_expansion", c.vision_tail_expansion, 64);
    require(c.vision_tail_widths.front() != c.trunk_channels, subject, "vision_tail_widths",
            "must begin with another width than trunk_channels, or a map would not say which of the two it is");
    require(c.concept_temperature > 0, subject, "concept_temperature", "must be above 0");
    positive("waveform_patch", c.waveform_patch, 1 << 16);
    positive("waveform_buckets", c.waveform_buckets, 1 << 16);
    positive("max_waveform_patches", c.max_waveform_patches, 1 << 16);
    require(c.text_rows >= 0 && c.text_rows <= 1 << 16, subject, "text_rows", "must be 0 … 65536");
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
    check_options(c, subject);
}

json all_fields(const ModelConfig& config)
{
    json out = json::object();
    visit_fields(config, [&](const char* name, const auto& value) { out[name] = value_of(value); });
    return out;
}

}  // namespace

json to_json(const ModelConfig& config)
{
    json out = all_fields(config);
    const json standard = all_fields({});
    int format = 1;
    for (const auto& added : kAdded) {
        if (out.at(added.name) == standard.at(added.name))
            out.erase(added.name);
        else
            format = std::max(format, added.format);
    }
    if (format > 1)
        out["format"] = format;
    return out;
}

ModelConfig config_from_json(const json& j, const std::string& subject)
{
    require(j.is_object(), subject, "it", "must be an object");
    ModelConfig config;
    size_t known = 0;
    if (const auto format = j.find("format"); format != j.end()) {
        ++known;
        require(format->is_number_integer() && *format >= 1, subject, "format", "must be a whole number from 1");
        if (*format > kConfigFormat)
            throw Error(ErrorKind::Unsupported, subject,
                        "has the configuration format " + format->dump() + ", this program reads up to "
                            + std::to_string(kConfigFormat),
                        "Use the Imprint that made it, or a newer one");
    }
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

bool ModelConfig::adapts(const std::string& matrix) const
{
    return lora_rank > 0 && std::find(lora_matrices.begin(), lora_matrices.end(), matrix) != lora_matrices.end();
}

std::vector<std::string> ModelConfig::modalities() const
{
    std::vector<std::string> names = {"vision", "sound", "text"};
    if (waveform)
        names.push_back("waveform");
    return names;
}

std::vector<std::string> temperature_pairs(const ModelConfig& config)
{
    std::vector<std::string> pairs = {"picture_text", "sound_text", "text_text", "picture_sound"};
    if (config.waveform)
        pairs.insert(pairs.end(), {"waveform_text", "picture_waveform", "sound_waveform"});
    return pairs;
}

}  // namespace imprint::model
