// SPDX-License-Identifier: Apache-2.0
// One structure says everything about a network: sizes, stems, routing, preprocessing. Free of torch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/media/media.h"

namespace imprint::model {

/// How pictures become tokens. Patch: the paper's 4 × 16 × 16 pixel patches. Hybrid: the frozen EfficientNet-lite0 trunk,
/// each position of its last map one token, with one concept token beside them.
enum class VisionStem { Patch, Hybrid };

/// Where an expert looks for its tokens. Item: within one item (ours; an item's vector never depends on its batch).
/// Batch: within groups of up to `max_group` tokens that span items, as in the paper's code.
enum class RoutingGroup { Item, Batch };

struct ModelConfig {
    std::string name = "imprint-small";

    // Encoder (paper section 1: pre-LN blocks, head width 64, no biases in blocks).
    int width = 256;
    int layers = 6;
    int heads = 4;
    int ffn_width = 1024;
    bool qk_norm = true;

    // Mixture of experts: the last `sparse_layers` blocks; experts choose tokens.
    int sparse_layers = 3;
    int experts = 6;
    double capacity_factor = 1.0;
    int min_capacity = 1;
    RoutingGroup routing_group = RoutingGroup::Item;
    int max_group = 2048;

    // Joint space.
    int head_width = 512;
    int joint_dim = 384;

    // Vision. Position tables are factorised; a coordinate i of n reads row floor(i * buckets / n).
    VisionStem vision_stem = VisionStem::Hybrid;
    int time_buckets = 16, row_buckets = 32, column_buckets = 32;
    int patch_frames = 4, patch_size = 16;
    int max_frames = 4;
    int trunk_channels = 1280, trunk_classes = 1000;
    double concept_temperature = 1.5;  ///< of the classifier's softmax before it weighs the class texts
    std::vector<media::Size> picture_sizes = {{224, 224}, {192, 256}, {256, 192}, {160, 320}, {320, 160}};

    // Sound: log-mel patches. Time is counted in frames of `hop` samples at 16 kHz.
    int fft = 2048, hop = 512, mel_bands = 128;
    double mel_low = 80, mel_high = 7600;
    int sound_patch = 16;
    int max_sound_patches = 8;  ///< along time: 8 × 16 × 512 samples = 4.096 s
    int sound_time_buckets = 64, sound_frequency_buckets = 8;

    // Text.
    int vocabulary = 8000;
    int max_text_tokens = 64;
    /// Piece vectors are multiplied by √width, so that they weigh as much as their (normalised) positions from the first
    /// step. The paper's code does not; in a short run its texts stay indistinct.
    bool scale_text = true;

    bool operator==(const ModelConfig&) const = default;

    int head_dim() const { return width / heads; }
    int sound_patch_samples() const { return sound_patch * hop; }
    int max_sound_samples() const { return max_sound_patches * sound_patch_samples(); }
    bool sparse(int layer) const { return layer >= layers - sparse_layers; }
};

/// Every field under its own name. from_json refuses unknown keys, wrong types and impossible sizes with
/// Error(Malformed), naming the field; `subject` is the file it came from.
nlohmann::json to_json(const ModelConfig& config);
ModelConfig config_from_json(const nlohmann::json& json, const std::string& subject);

/// One tensor of the network.
struct ParameterSpec {
    enum class Init { Zeros, Ones, Normal, TruncatedNormal, Constant };
    std::string name;
    std::vector<int64_t> shape;
    Init init = Init::Zeros;
    double scale = 0;       ///< standard deviation, or the constant
    bool decays = false;    ///< weight decay applies (matrices called "kernel" in the paper's code)
    bool frozen = false;    ///< a given part: trunk, class texts, standardisation
    bool full_precision = false;  ///< stored as fp32 (norms, router, temperatures), else bf16

    int64_t count() const;
};

/// Every tensor that a network of this configuration has, in storage order.
/// Initial deviations: imp_method.md section 1.5.
std::vector<ParameterSpec> parameter_specs(const ModelConfig& config);

/// Parameters of the encoder blocks and the final norm alone: all of them, and those one token meets.
struct EncoderCount {
    int64_t all = 0, active = 0;
};
EncoderCount encoder_count(const ModelConfig& config);

}  // namespace imprint::model
