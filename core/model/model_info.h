// SPDX-License-Identifier: Apache-2.0
// What a network of some configuration costs, without allocating it. Free of torch.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "core/model/config.h"

namespace imprint::model {

/// Tokens that the encoder reads for one item. Kinds of item: "picture" (one frame of the first picture size), "clip"
/// (max_frames of it), "sound" (the longest window), "text" (16 pieces, a caption), "text_longest" (max_text_tokens), and
/// "waveform" (the longest) where the network reads one. The concept token and an aggregation token count.
std::map<std::string, int64_t> tokens_per_item(const ModelConfig& config);

/// Floating-point operations of one forward pass over one item of `kind`, a multiplication and an addition counted as two:
/// all matrix products, attention's included, stem, blocks, common-space heads and the ways past the blocks (a sound's convolutions
/// among them); the frozen trunks, and the network's own form of the picture trunk's last stages, are not part of it.
int64_t forward_flops(const ModelConfig& config, const std::string& kind);

/// | field | what it counts |
/// |---|---|
/// | parameters | every tensor of the network: stems, tables, blocks, heads, temperatures, given parts |
/// | trainable_parameters | those that training changes |
/// | encoder_parameters | blocks and final norm: the "encoder params" of imp_method.md section 1.7 |
/// | active_parameters | of the encoder's, those that one token meets: its "active/token" |
/// | adapter_parameters | LoRA's, in none of the encoder's counts |
/// | tokens, flops | per kind of item, as above |
/// | memory.weights_fp32, .weights_bf16 | bytes of all parameters |
/// | memory.optimizer | bytes of two fp32 moments per trainable parameter (AdamW) |
/// | memory.gradients | bytes of an fp32 gradient per trainable parameter |
/// | memory.activations | bytes per kind of item that a training pass in fp32 keeps for its way back: an estimate |
/// | memory.inference | bytes per kind of item that a pass without a way back holds at its peak, fp32, without the trunk |
/// | config | the configuration itself |
nlohmann::json model_info(const ModelConfig& config);

}  // namespace imprint::model
