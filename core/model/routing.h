// SPDX-License-Identifier: Apache-2.0
// Which expert gets which token. Differentiable through gates and losses; the choice itself is not.
// Source of every formula: imp_method.md section 2.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/model/config.h"

namespace imprint::model {

/// One decision. All of it is computed in fp32 (fp64 where the input is fp64).
struct Routing {
    at::Tensor slots;         ///< [groups, experts, capacity] int64: which token of the group a slot holds, -1: the slot is empty
    at::Tensor gates;         ///< [groups, experts, capacity]: the router's probability, not renormalised; 0 in an empty slot
    at::Tensor z_loss;        ///< scalar: mean over tokens of (logsumexp logits)²
    at::Tensor balance_loss;  ///< scalar, as balance_loss() gives it; undefined where experts choose, who are always even
};

/// Experts choose tokens: per group and expert the `capacity` tokens with the highest probability, softmax over experts;
/// equal probabilities go to the lower token index. x: [groups, tokens, width], kernel: [experts, width].
Routing route_experts_choice(const at::Tensor& x, const at::Tensor& kernel, int64_t capacity);

/// Tokens choose their `top_k` most probable experts (equal ones: the lower index). Slots are filled by rank of the choice
/// first, then in token order, or with `batch_priority` by descending probability of the first choice; what finds no slot is
/// dropped.
Routing route_tokens_choice(const at::Tensor& x, const at::Tensor& kernel, int64_t capacity, int64_t top_k, bool batch_priority);

/// The routing that a configuration asks for.
Routing route(const at::Tensor& x, const at::Tensor& kernel, int64_t capacity, const ModelConfig& config);

/// experts² × mean over groups and experts of (share of the group's tokens that chose the expert) × (its mean probability).
/// probabilities: [groups, tokens, experts]; claims: [groups, experts], how many tokens chose the expert, dropped ones too.
at::Tensor balance_loss(const at::Tensor& probabilities, const at::Tensor& claims);

/// round(factor · tokens / experts) half to even, at least `min_capacity`, at most `tokens`.
int64_t expert_capacity(int64_t tokens, const ModelConfig& config);

/// The number of equal groups that the paper's code cuts `tokens` into on one device: the smallest multiple of the number
/// of experts that divides `tokens` and is at least tokens / max_group. Throws Error(Usage) where none exists.
int64_t batch_groups(int64_t tokens, const ModelConfig& config);

/// What one sparse block's router did in one pass. Without gradients.
struct RouterProbe {
    int layer = 0;
    at::Tensor expert_use;     ///< [experts]: share of the expert's slots that hold a token; all ones where experts choose
    at::Tensor expert_weight;  ///< [experts]: the expert's share of all gates given
    at::Tensor left_behind;    ///< scalar: share of tokens that no expert took
    at::Tensor confidence;     ///< scalar: mean gate of the filled slots
    at::Tensor z_loss;         ///< scalar
    at::Tensor balance_loss;   ///< scalar; 0 where experts choose
};
RouterProbe probe(const Routing& routing, int64_t tokens, int layer);

/// What a pass adds to the loss besides its result, and what it can tell of its routers.
struct Auxiliary {
    at::Tensor z_loss;                ///< sum over sparse blocks; undefined in a dense model
    at::Tensor balance_loss;          ///< likewise; undefined where experts choose
    bool probing = false;             ///< asks for probes
    std::vector<RouterProbe> probes;  ///< one per sparse block, in order
};

}  // namespace imprint::model
