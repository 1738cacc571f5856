// SPDX-License-Identifier: Apache-2.0
// From a decoded batch to the network's inputs, and from those to passes.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/tokens/log_mel.h"
#include "core/tokens/text_tokenizer.h"
#include "training/data/batch_reader.h"
#include "training/objective.h"
#include "training/passes.h"
#include "training/stem.h"

namespace imprint::training {

/// Texts of one length (or padded to one).
struct TextBatch {
    std::vector<int64_t> members;  ///< which of the batch's texts
    at::Tensor ids;                ///< int64 [members, tokens]
    at::Tensor mask;               ///< bool [members, tokens], false on pads; undefined without pads
    at::Tensor original, hidden;   ///< masked language: what stood there, and 1 where it is hidden (float); else undefined
};

/// What the network reads of a batch, on its device. Items of several clips or captions stand one after the other.
struct Inputs {
    /// Where other ranks read items too: how many rows of media lie before those that are here, and how many there are in all
    /// (0: these are all). Texts are always those of the whole batch.
    int64_t before = 0, all = 0;
    at::Tensor pixels;        ///< uint8 [batch · clips, frames, height, width, 3]
    at::Tensor kept;          ///< int64 [batch · clips, n]: what DropToken leaves; undefined: all
    at::Tensor concept_seen;  ///< [batch · clips, 1], hybrid stem: whose concept token carries the concept; undefined: all
    at::Tensor spectrogram;   ///< [batch · clips, frames, mel_bands]
    at::Tensor waveform;      ///< [batch · clips, samples]
    std::vector<TextBatch> texts, masked_texts;
};

/// Makes inputs and targets of batches. const methods may be called from any thread.
class InputMaker {
public:
    /// All outlive the maker. `tokenizer` may be null where there is no text.
    InputMaker(const model::ModelConfig& config, const tokens::TextTokenizer* tokenizer, const tokens::LogMel& log_mel,
               at::Device device);

    /// `wanted` says which modalities; `masked` is the share of hidden pieces, `text_tokens` as in the recipe. What is random
    /// (DropToken, hidden pieces and concepts) is drawn by the items' places.
    struct How {
        int text_tokens = 0;
        double masked = 0.15;
        double sound_seconds = 0;
        bool training = true;  ///< else nothing is dropped or hidden
    };
    /// `reader` gives the places, and may be null where nothing is drawn.
    Inputs inputs(const Batch& batch, const BatchReader* reader, const Wanted& wanted, const How& how) const;
    Targets targets(const Batch& batch, int clips, int captions) const;
    /// Texts of natural lengths, or cut and padded to `text_tokens` pieces.
    std::vector<TextBatch> text_batches(const std::vector<std::string>& texts, int text_tokens) const;

private:
    at::Tensor pixels(const Batch& batch) const;
    at::Tensor kept(const Batch& batch, const BatchReader& reader) const;
    at::Tensor concept_seen(const Batch& batch, const BatchReader& reader) const;
    at::Tensor samples(const Batch& batch, int64_t length) const;
    void hide(std::vector<TextBatch>& texts, const Batch& batch, const BatchReader& reader, double share) const;

    const model::ModelConfig& config_;
    const tokens::TextTokenizer* tokenizer_;
    const tokens::LogMel& log_mel_;
    at::Device device_;
};

/// One list per modality (and "masked_text") of `wanted`, its rows as columns_of() lays them out. Cut into passes of at most
/// `pass_tokens` tokens where that can be; with routing across items into equal ones that divide among the experts.
/// The trunks must outlive the passes.
std::map<std::string, PassList> pass_lists(const Inputs& inputs, const Wanted& wanted, const model::ModelConfig& config,
                                           const Trunks& trunks, int64_t pass_tokens, const PassList::Share& share = {});

}  // namespace imprint::training
