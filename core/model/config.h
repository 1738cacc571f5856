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

/// How words become tokens. Pieces: a table of word pieces learned with the rest (the paper). Hybrid: the frozen sentence
/// encoder that taught the text side, each of its last states one token, with one concept token (its sentence vector) beside
/// them.
enum class TextStem { Pieces, Hybrid };

/// Where an expert looks for its tokens. Item: within one item (ours; an item's vector never depends on its batch).
/// Batch: within groups of up to `max_group` tokens that span items, as in the paper's code.
enum class RoutingGroup { Item, Batch };

/// Who chooses. Experts: each takes the tokens it finds most probable (the paper). Tokens: each goes to its `router_top_k`
/// most probable experts, as long as they have slots.
enum class Router { Experts, Tokens };

/// Which blocks are sparse: the last ones (the paper), or every (layers / sparse_layers)-th, the last one included.
enum class SparsePlacement { Last, Uniform };

/// Joint: one head per modality, all into one space (ours). Disjoint: one head per ordered pair of modalities, as in the
/// paper: a picture's vector for texts is compared with a text's vector for pictures.
enum class CommonSpace { Joint, Disjoint };

/// A linear classifier on the pooled features of one modality, named after its data set.
struct ClassifierHead {
    std::string modality;  ///< vision, sound, waveform or text
    std::string name;      ///< lower case letters, digits, '_' and '-'
    int classes = 0;

    bool operator==(const ClassifierHead&) const = default;
};

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
    Router router = Router::Experts;
    int router_top_k = 1;          ///< Router::Tokens: experts a token asks for
    bool batch_priority = false;   ///< Router::Tokens: slots go to the tokens surest of their first choice, else in order
    bool normalise_gates = false;  ///< divides a token's output by the sum of the gates that took it (the paper does not)
    SparsePlacement sparse_placement = SparsePlacement::Last;

    /// Biases in the blocks' matrices and norms (older checkpoints of the paper's authors); the router never has one.
    bool use_bias = false;
    /// A learned token before the others; its output then stands for the item, instead of the mean over the tokens.
    bool aggregation_token = false;

    // Low-rank adapters beside the blocks' matrices: W·x + (alpha / rank)·up·down·x. Rank 0: none.
    int lora_rank = 0;
    double lora_alpha = 16;
    std::vector<std::string> lora_matrices = {"q", "v"};  ///< of: q, k, v, o, in, out (the last two of dense and expert FFNs)

    // Common space: Linear(width → head_width), GELU, Linear(→ joint_dim), LayerNorm.
    CommonSpace common_space = CommonSpace::Joint;
    int head_width = 512;
    int joint_dim = 384;
    double temperature = 0.07;  ///< what each pair's temperature starts from

    std::vector<ClassifierHead> classifiers;
    bool target_classifier = false;  ///< width → vocabulary on every text token, for masked language modelling

    // Vision. Position tables are factorised; a coordinate i of n reads row floor(i * buckets / n).
    VisionStem vision_stem = VisionStem::Hybrid;
    int time_buckets = 16, row_buckets = 32, column_buckets = 32;
    int patch_frames = 4, patch_size = 16;
    int max_frames = 4;
    int trunk_channels = 1280, trunk_classes = 1000;
    /// The concept's least share of a picture's or text's vector, chosen by the dev pool after training; under 0.1: as trained.
    double concept_gate_floor = 0;
    /// Its greatest share of a clip's vector: a concept knows what is seen, and nothing of how it moves.
    double clip_gate_ceiling = 0.9;
    /// The least share in texts alone; 0: concept_gate_floor stands for both.
    double text_gate_floor = 0;
    /// Hidden width of the way past the blocks: the mean of a clip's map and its concept through two layers, added to what the
    /// head says. Frozen trunks tell most of what a picture shows in their mean already; the blocks need not learn it again.
    /// The picture's gate then reads that mean, and opens for what looks like a photograph. 0: no such way.
    int vision_shortcut = 0;
    /// Tokens of a clip also carry how their place differs from its mean over the frames: what moves stands out.
    bool vision_change = false;
    /// The network's own form of the trunk's last stages (trunk_tail.h): their 1×1 matrices plus products of this rank, which
    /// learn with the rest, while the concept goes by the trunk as it is given. 0: the network reads the trunk's last map.
    int vision_tail_rank = 0;
    /// Widths before those stages, of the last but one and of the last, and how much wider their blocks are inside: the trunk's.
    std::vector<int> vision_tail_widths = {112, 192, 320};
    int vision_tail_expansion = 6;
    double concept_temperature = 1.5;  ///< of the classifier's softmax before it weighs the class texts
    std::vector<media::Size> picture_sizes = {{224, 224}, {192, 256}, {256, 192}, {160, 320}, {320, 160}};

    // Sound: log-mel patches. Time is counted in frames of `hop` samples at 16 kHz.
    int fft = 2048, hop = 512, mel_bands = 128;
    double mel_low = 80, mel_high = 7600;
    int sound_patch = 16;
    int max_sound_patches = 8;  ///< along time: 8 × 16 × 512 samples = 4.096 s
    int sound_time_buckets = 64, sound_frequency_buckets = 8;
    bool standardise_sound = true;  ///< per mel band, by statistics in the checkpoint (the paper does not)
    /// Time rows by share: patch i of n reads row floor(i · buckets / n), as in the paper. Else row i: a short sound must not
    /// look like a slow one.
    bool sound_time_by_share = false;
    /// Hidden width of the way past the blocks: what each band does over time (its mean, deviation, maximum and how much it
    /// rises from frame to frame) through two layers, added to what the head says. The colour of a sound is in there, whatever
    /// its order in time, and two layers learn it from few clips. 0: no such way.
    int sound_shortcut = 0;
    /// Channels of the convolutions that the shortcut hears a sound through (sound_stem.h), in place of what each band does over
    /// time. Empty: none.
    std::vector<int> sound_stem_widths;
    double sound_stem_floor = -5.5;  ///< log-mel below it is silence to them: 48 dB under a band's amplitude of 1
    /// Length of what the blocks make of a sound when the shortcut's vector of length 1 is added to it. Chosen after training.
    double sound_blocks_share = 1;

    // Waveform: patches of raw samples at 16 kHz. Positions always by share.
    bool waveform = false;
    int waveform_patch = 256, waveform_buckets = 512;
    int max_waveform_patches = 512;

    // Text.
    int vocabulary = 8000;
    int max_text_tokens = 64;
    int text_rows = 0;  ///< of the position table; 0: max_text_tokens. Tokens past the last row share it.
    /// TextStem::Pieces: piece vectors are multiplied by √width, so that they weigh as much as their (normalised) positions from
    /// the first step. The paper's code does not; in a short run its texts stay indistinct.
    bool scale_text = true;
    TextStem text_stem = TextStem::Pieces;
    int text_trunk_width = 384, text_trunk_layers = 6, text_trunk_heads = 12;

    bool operator==(const ModelConfig&) const = default;

    int head_dim() const { return width / heads; }
    bool own_tail() const { return vision_tail_rank > 0; }
    int sound_patch_samples() const { return sound_patch * hop; }
    int max_sound_samples() const { return max_sound_patches * sound_patch_samples(); }
    int text_position_rows() const { return text_rows > 0 ? text_rows : max_text_tokens; }
    int max_waveform_samples() const { return max_waveform_patches * waveform_patch; }
    bool sparse(int layer) const
    {
        if (sparse_placement == SparsePlacement::Last || sparse_layers == 0)
            return layer >= layers - sparse_layers;
        return (layers - 1 - layer) % (layers / sparse_layers) == 0;
    }
    bool adapts(const std::string& matrix) const;  ///< whether LoRA adapts the blocks' matrices of this name
    std::vector<std::string> modalities() const;   ///< vision, sound, text and, where there is one, waveform
};

/// The version of the configuration's JSON that this program writes. 1: the first checkpoints. 2: adds the fields from
/// `router` to `text_rows`, 3: `text_stem` and the sizes of its trunk, 4: `vision_shortcut`, `vision_change`,
/// `text_gate_floor`, `clip_gate_ceiling`, 5: those of `vision_tail`, 6: `sound_shortcut`, 7: those of `sound_stem`,
/// 8: `sound_blocks_share`. Each added field is written only where it is not the default, and the version is the least that has
/// all of them, so that older programs read what uses nothing newer than they are.
inline constexpr int kConfigFormat = 8;

/// Every field under its own name; "format" where it is not 1. from_json takes a missing field at its default and refuses
/// unknown keys, wrong types and impossible sizes with Error(Malformed), naming the field, and a newer format with
/// Error(Unsupported); `subject` is the file it came from.
nlohmann::json to_json(const ModelConfig& config);
ModelConfig config_from_json(const nlohmann::json& json, const std::string& subject);

/// One tensor of the network.
struct ParameterSpec {
    enum class Init { Zeros, Ones, Normal, TruncatedNormal, Constant };
    std::string name;
    std::vector<int64_t> shape;
    Init init = Init::Zeros;
    double scale = 0;             ///< standard deviation, or the constant
    bool decays = false;          ///< weight decay applies (matrices called "kernel" in the paper's code)
    bool frozen = false;          ///< a given part: trunk, class texts, standardisation
    bool full_precision = false;  ///< stored as fp32 (norms, router, temperatures), else bf16
    bool given_matrix = false;    ///< a frozen matrix of products
    bool adapter = false;         ///< belongs to LoRA: fine-tuning trains these and leaves the rest

    int64_t count() const;
};

/// What a checkpoint's tensors of the trunk begin with. A network that takes the trunk's last stages further has those as
/// parameters of the same names: they are one and the same in the file.
inline constexpr const char* kTrunkPrefix = "trunk.";

/// How many numbers of each mel band the sound's shortcut is given (sound_shortcut).
inline constexpr int kSoundStatistics = 4;

/// A block of the trunk's last two stages (blocks 11 to 15 of EfficientNet-lite0): 1×1 expansion, depthwise filter, 1×1
/// projection.
struct TailBlock {
    std::string name;  ///< "blocks.N."
    int in = 0, wide = 0, out = 0, kernel = 0, stride = 0;
    bool residual = false;
};
std::vector<TailBlock> tail_blocks(const ModelConfig& config);

/// Every tensor that a network of this configuration has, in storage order.
/// Initial deviations: imp_method.md section 1.5.
std::vector<ParameterSpec> parameter_specs(const ModelConfig& config);

/// The pairs of modalities that have a temperature, as in parameter "temperature.<pair>".
std::vector<std::string> temperature_pairs(const ModelConfig& config);

/// Parameters of the encoder blocks and the final norm alone, without adapters: all of them, and those one token meets.
struct EncoderCount {
    int64_t all = 0, active = 0;
};
EncoderCount encoder_count(const ModelConfig& config);

}  // namespace imprint::model
