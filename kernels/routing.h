// SPDX-License-Identifier: Apache-2.0
// The router of a mixture of experts, after its product: which token goes to which expert's slot, and with what weight.
// Source: imp_method.md section 2. Groups never see each other: a group's result keeps its bits in any batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imprint::kernels {

/// One routing decision. Within one expert a token stands at most once.
struct Routing {
    at::Tensor slots;   ///< [groups, experts, capacity] int64: the token that a slot holds, -1: the slot is empty
    at::Tensor gates;   ///< [groups, experts, capacity]: that token's probability of that expert, not renormalised; 0 if empty
    at::Tensor z;       ///< [groups, tokens]: (logsumexp of the token's logits)²; the z-loss is its mean
    at::Tensor claims;  ///< [groups, experts] int64: tokens that chose the expert, overflow included (tokens-choose only)
};

/// Experts choose: every expert of a group takes the `capacity` tokens (0 … tokens) with the highest probability, softmax
/// over experts, in falling order; equal probabilities go to the lower token index.
///   logits [groups, tokens, experts], contiguous, fp32 (fp64 on the CPU too)
/// Gradients reach the logits through gates and z. CPU, CUDA (up to 1024 experts), Meta. Throws c10::Error on wrong shapes
/// and types. A NaN counts as the highest probability.
Routing route_experts_choose(const at::Tensor& logits, int64_t capacity);

/// Tokens choose: every token claims its `choices` (1 … experts) most probable experts, ties to the lower expert index.
/// Slots are filled by rank of choice first, then in order of tokens or, with `batch_priority`, of falling top-1
/// probability (ties to the lower token); what comes when an expert is full is dropped. Logits and gradients as above.
Routing route_tokens_choose(const at::Tensor& logits, int64_t choices, int64_t capacity, bool batch_priority);

}  // namespace imprint::kernels
