// SPDX-License-Identifier: Apache-2.0
// One item of any modality to its vector: the passes that core/encoder.h makes, on the device of the model.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>
#include <span>
#include <string>

#include "core/media/media.h"
#include "core/model/checkpoint.h"
#include "core/model/network.h"
#include "core/model/text_trunk.h"
#include "core/model/trunk.h"
#include "core/tokens/log_mel.h"
#include "core/tokens/text_tokenizer.h"

namespace imprint {

/// The network of a checkpoint and all that stands before it. Weights go to `device` once; what a pass is given goes there
/// with it, and its result stays there. const methods may be called from several threads.
class ItemPasses {
public:
    /// `subject` names the checkpoint in errors: Error(Malformed) for a tokenizer or a trunk that does not fit.
    ItemPasses(const model::Checkpoint& checkpoint, const std::string& subject, const model::Precision& precision,
               at::Device device);

    // Each gives [1, joint_dim], unit length.

    /// 1 … max_frames pictures of one size.
    at::Tensor pictures(std::span<const media::Picture> clip) const;
    at::Tensor sound(std::span<const float> samples) const;
    at::Tensor text(const std::string& text) const;
    /// The untrained part alone. Only where has_concepts().
    at::Tensor concept_vector(std::span<const media::Picture> clip) const;

    /// See tokens::TextTokenizer.
    int pieces(const std::string& word) const { return tokenizer_.pieces(word); }

    bool has_concepts() const { return trunk_ != nullptr; }

private:
    struct Stem {
        at::Tensor map, concept_vector;
    };
    Stem stem_of(std::span<const media::Picture> clip) const;
    at::Tensor pixels_of(std::span<const media::Picture> clip) const;

    at::Device device_;
    tokens::LogMel log_mel_;
    tokens::TextTokenizer tokenizer_;
    model::Network network_;
    std::unique_ptr<model::Trunk> trunk_;
    std::unique_ptr<model::TextTrunk> text_trunk_;
};

}  // namespace imprint
