// SPDX-License-Identifier: Apache-2.0
// The network: tokens of one modality in, one vector per item out. One pass, one modality.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/layers.h"
#include "core/model/sound_stem.h"
#include "core/model/trunk_tail.h"

namespace imprint::model {

/// The result of one pass over a batch whose items all have the same number of tokens.
struct Encoding {
    at::Tensor vectors;  ///< [batch, joint_dim] fp32, unit length; undefined in a disjoint space
    /// Disjoint space: target modality → [batch, joint_dim], as the pair's layer norm leaves it (not unit length).
    std::map<std::string, at::Tensor> spaces;
    at::Tensor pooled;    ///< [batch, width]: mean over the tokens or the aggregation token, for classifiers
    at::Tensor features;  ///< [batch, tokens, width] after the final norm: aggregation token, concept token, the item's own
    at::Tensor own;  ///< [batch, joint_dim]: the vector of head and shortcut before the gate lets the concept in; else = vectors
    at::Tensor gate_logit;  ///< [batch, 1]: what the gate makes its share of
    at::Tensor gate;        ///< [batch, 1]: the concept's share of the vector (through a hybrid stem), else undefined
    Auxiliary auxiliary;
};

/// Holds its parameters by reference to their tensors: an optimiser that updates those in place updates the network.
/// const methods may be called from several threads.
class Network {
public:
    Network(ModelConfig config, Parameters parameters);

    const ModelConfig& config() const { return config_; }
    const Parameters& parameters() const { return parameters_; }
    void set_precision(Precision precision) { precision_ = precision; }
    /// Every pass then tells what its routers did, in its Encoding's auxiliary.probes.
    void set_probing(bool probing) { probing_ = probing; }
    /// Passes that record gradients then keep every block's input alone, and go forwards again block by block on the way back.
    void set_recomputing(bool recomputing) { recomputing_ = recomputing; }

    /// The same network with every matrix converted once to the precision of products. The copies stay part of the
    /// autograd graph: many passes over them cost one conversion forwards and one backwards.
    Network with_converted_matrices() const;

    /// Pictures and clips through the hybrid stem: unit(g · concept + (1 − g) · head), with g kept in [0.1, 0.9] (and above
    /// concept_gate_floor) so that neither side ever falls silent. map: [batch, frames, rows, columns, trunk_channels], or, where
    /// the network has a tail of its own (config().own_tail()), what that is given, of twice the rows and columns; concept:
    /// [batch, joint_dim] unit vectors (concept_of()). kept: [batch, n] sorted token indices (frame-major, then rows, columns)
    /// that DropToken leaves; all without it. `hiding` is training's.
    struct Hiding {
        /// [batch, 1] zeros and ones: which items' concept token, and shortcut, are told the concept, so that the head learns to
        /// see for itself; all without it. The gated share of the output is not affected.
        std::optional<at::Tensor> concept_seen;
        /// [batch, vision_shortcut], factors of the shortcut's hidden numbers: dropout. All 1 without it.
        std::optional<at::Tensor> shortcut_kept;
    };
    Encoding encode_map(const at::Tensor& map, const at::Tensor& concept_vector, const std::optional<at::Tensor>& kept = {},
                        const Hiding& hiding = {}) const;

    /// The two halves of encode_map: maps of different grids that keep equally many tokens can be joined between them and
    /// go through the blocks as one batch.
    struct MapTokens {
        at::Tensor values;     ///< [batch, n, trunk_channels]
        at::Tensor positions;  ///< [batch or 1, n, width]
        at::Tensor average;    ///< [batch, trunk_channels] over the whole map; undefined where the network has no use for it
        bool clip = false;     ///< of several frames
        at::Tensor change;     ///< [batch, n, trunk_channels] from the mean over frames; undefined likewise, and for one frame
    };
    /// map: [..., rows, columns, channels], at least four axes. What the network's own tail makes of a map that is meant for it;
    /// a last map comes back as it is.
    at::Tensor last_map(const at::Tensor& map) const;
    MapTokens map_tokens(const at::Tensor& map, const std::optional<at::Tensor>& kept = {}) const;
    Encoding encode_map_tokens(const MapTokens& tokens, const at::Tensor& concept_vector, const Hiding& hiding = {}) const;

    // `kept` is DropToken in every modality: [batch, n] sorted indices of the tokens that stay, each with its own position.
    // Experts' capacity comes from the tokens that stay.

    /// Pictures and clips through the patch stem. pixels: uint8 [batch, frames, height, width, 3]; fewer frames than one
    /// patch holds are repeated, as a still image is. Tokens run frame-major, then rows, columns.
    Encoding encode_pixels(const at::Tensor& pixels, const std::optional<at::Tensor>& kept = {}) const;

    /// spectrogram: [batch, frames, mel_bands] log-mel, frames a multiple of sound_patch. Tokens run along time, then frequency.
    /// shortcut_kept: [batch, sound_shortcut], as Hiding's. The shortcut hears it whole, and alone where kept is [batch, 0]; its
    /// convolutions then go by the batch's statistics, which is how they learn, else by the stored ones.
    Encoding encode_spectrogram(const at::Tensor& spectrogram, const std::optional<at::Tensor>& kept = {},
                                const std::optional<at::Tensor>& shortcut_kept = {}) const;

    /// What the sound's convolutions are to go by from now on: SoundStem::statistics() of these sounds. Empty without them.
    Parameters sound_statistics(const at::Tensor& spectrogram) const;

    /// samples: [batch, n] at 16 kHz, n a multiple of waveform_patch. Needs config().waveform.
    Encoding encode_waveform(const at::Tensor& samples, const std::optional<at::Tensor>& kept = {}) const;

    /// ids: int64 [batch, tokens], 1 … max_text_tokens. Texts of one batch have one length, without pads; or, as in the
    /// paper's code, `mask` [batch, tokens] bool says which are no pads: attention and pooling leave pads out, routing does not.
    Encoding encode_text(const at::Tensor& ids, const std::optional<at::Tensor>& kept = {},
                         const std::optional<at::Tensor>& mask = {}) const;

    /// Texts through the hybrid stem, gated as pictures are. states: [batch, tokens, text_trunk_width], what TextTrunk gives;
    /// concept_vector: [batch, joint_dim] unit vectors (meaning_of()). Without pads.
    Encoding encode_text_states(const at::Tensor& states, const at::Tensor& concept_vector,
                                const std::optional<at::Tensor>& kept = {}) const;

    /// A sentence vector as a concept: minus the mean over everyday words, unit length. sentence: [batch, joint_dim].
    at::Tensor meaning_of(const at::Tensor& sentence) const;

    /// Logits of a classifier on an encoding of its modality: [batch, classes].
    at::Tensor classify(const Encoding& encoding, const std::string& modality, const std::string& classifier) const;

    /// The post-encoder projection of every token: [batch, tokens, width].
    at::Tensor token_features(const Encoding& encoding, const std::string& modality) const;

    /// For masked language modelling: logits of every piece at every token of a text, [batch, tokens, vocabulary]. Needs
    /// config().target_classifier. Only the text's own tokens, in order.
    at::Tensor target_logits(const Encoding& text) const;

    /// The untrained part: softmax(logits / temperature) · class texts, unit length. logits: [batch, frames, classes];
    /// the frames' concepts are averaged. Returns [batch, joint_dim].
    at::Tensor concept_of(const at::Tensor& logits) const;

    /// A pair's temperature as a scalar tensor: relu(t) + 1e-6.
    at::Tensor temperature(const std::string& pair) const;

private:
    at::Tensor vision_positions(int64_t frames, int64_t rows, int64_t columns) const;
    Encoding encode(const std::string& modality, at::Tensor tokens, const at::Tensor& positions, const at::Tensor& extra_token,
                    const at::Tensor& mask = {}, const at::Tensor& addend = {}) const;
    at::Tensor head(const std::string& name, const at::Tensor& pooled) const;
    /// `gate_logit`: [batch, 1], what the gate makes its share of.
    void let_concept_in(Encoding& encoding, const at::Tensor& concept_vector, const at::Tensor& gate_logit, double floor,
                        double ceiling) const;
    /// The gate decides in full precision.
    at::Tensor gate_logit(const at::Tensor& seen, const std::string& gate) const;
    /// The way past the blocks whose two layers are called `name`: unit vectors [batch, joint_dim] of `told`.
    at::Tensor shortcut(const std::string& name, const at::Tensor& told, const std::optional<at::Tensor>& kept) const;
    at::Tensor vision_shortcut(const at::Tensor& average, const at::Tensor& concept_vector,
                               const std::optional<at::Tensor>& kept) const;
    at::Tensor affine(const at::Tensor& x, const std::string& name, const Precision& precision) const;
    const at::Tensor& get(const std::string& name) const;

    ModelConfig config_;
    Parameters parameters_;
    std::vector<Block> blocks_;
    std::optional<TrunkTail> tail_;
    std::optional<SoundStem> sound_stem_;
    std::vector<std::vector<at::Tensor>> block_tensors_;  // by block
    Precision precision_;
    bool probing_ = false, recomputing_ = false;
};

}  // namespace imprint::model
