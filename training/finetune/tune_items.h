// SPDX-License-Identifier: Apache-2.0
// What the network reads of media and texts, made once: all that lies before its first trainable weight.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/media/media.h"
#include "core/model/checkpoint.h"
#include "core/model/text_trunk.h"
#include "core/model/trunk.h"
#include "core/tokens/log_mel.h"
#include "core/tokens/text_tokenizer.h"
#include "training/draws.h"
#include "training/passes.h"

namespace imprint::training {

/// One item; the fields of its kind are defined.
struct TuneItem {
    at::Tensor map;  ///< [frames, rows, columns, channels] bf16, hybrid stem: the last map, past the network's own tail
    at::Tensor concept_vector;  ///< [joint_dim], beside it
    at::Tensor pixels;          ///< uint8 [frames, height, width, 3], patch stem
    at::Tensor spectrogram;     ///< [frames, mel_bands]
    at::Tensor ids;             ///< int64 [tokens], texts as pieces
    at::Tensor states;          ///< [tokens, width], texts through the hybrid stem, with their concept_vector
    int64_t tokens = 0;         ///< without the concept's

    bool is_text() const { return ids.defined() || states.defined(); }
};

/// Makes items with a checkpoint's frozen parts. On the CPU. const methods may be called from any thread.
class ItemReader {
public:
    /// `checkpoint` outlives the reader. Error(Malformed) naming `subject` as the encoder.
    ItemReader(const model::Checkpoint& checkpoint, const std::string& subject, const model::Precision& precision);

    TuneItem pictures(std::span<const media::Picture> clip) const;
    /// Of a last map [frames, rows, columns, channels] and its concept [joint_dim]. Hybrid stem.
    TuneItem map(const at::Tensor& map, const at::Tensor& concept_vector) const;
    TuneItem sound(std::span<const float> samples) const;
    /// [frames, mel_bands] as LogMel gives it.
    TuneItem spectrogram(const at::Tensor& values) const;
    TuneItem text(const std::string& text) const;

private:
    const model::ModelConfig& config_;
    tokens::LogMel log_mel_;
    tokens::TextTokenizer tokenizer_;
    model::Network frozen_;
    std::unique_ptr<model::Trunk> trunk_;
    std::unique_ptr<model::TextTrunk> text_trunk_;
};

/// How items are looked at: as they are, or as training does.
struct TuneLook {
    double keep = 1;        ///< share of a medium's tokens that DropToken leaves
    bool mirrored = false;  ///< half of the maps and pictures run backwards along their columns
};

/// Passes over the items, those of one shape together. Rows: unit vectors [joint_dim] in the items' order. What is random is
/// drawn here.
PassList item_passes(const std::vector<const TuneItem*>& items, const TuneLook& look, Draws& draws);

}  // namespace imprint::training
