// SPDX-License-Identifier: Apache-2.0
// The parts of a block, as functions of named tensors. All are differentiable where their inputs are.
// Source of every formula: imp_method.md sections 1.4 and 2.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/parameters.h"

namespace imprint::model {

/// How products are computed. With BFloat16, matrices and activations are multiplied as bf16 (a matrix that already is
/// bf16 is not converted again) while norms, softmaxes and the router stay in fp32.
struct Precision {
    at::ScalarType products = at::kFloat;
};

/// x · kernelᵀ + bias; bias may be undefined. x: [..., in], kernel: [out, in].
at::Tensor linear(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias, const Precision& precision);

/// Layer norm over the last axis in fp32, ε = 1e-6; bias may be undefined. Keeps the dtype of x.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias);

/// One expert-choice decision.
struct Routing {
    at::Tensor tokens;   ///< [groups, experts, capacity] int64: which token of the group each slot holds
    at::Tensor gates;    ///< [groups, experts, capacity]: the router's probability, not renormalised
    at::Tensor z_loss;   ///< scalar: mean over tokens of (logsumexp logits)²
};

/// Experts choose tokens: per group and expert the `capacity` tokens with the highest probability, softmax over experts,
/// all in fp32; equal probabilities go to the lower token index. x: [groups, tokens, width], kernel: [experts, width].
Routing route_experts_choice(const at::Tensor& x, const at::Tensor& kernel, int64_t capacity);

/// round(factor · tokens / experts) half to even, at least `min_capacity`, at most `tokens`.
int64_t expert_capacity(int64_t tokens, const ModelConfig& config);

/// The number of equal groups that the paper's code cuts `tokens` into on one device: the smallest multiple of the number
/// of experts that divides `tokens` and is at least tokens / max_group. Throws Error(Usage) where none exists.
int64_t batch_groups(int64_t tokens, const ModelConfig& config);

/// What a pass adds to the loss besides its result.
struct Auxiliary {
    at::Tensor z_loss;  ///< sum over sparse blocks; undefined in a dense model
};

/// One pre-LN block. x: [batch, tokens, width].
class Block {
public:
    Block(const ModelConfig& config, const Parameters& parameters, int layer);
    at::Tensor forward(const at::Tensor& x, const Precision& precision, Auxiliary& auxiliary) const;
    /// The half after the second norm, dense or a mixture of experts: [batch, tokens, width] to the same.
    at::Tensor feed_forward(const at::Tensor& normed, const Precision& precision, Auxiliary& auxiliary) const;

private:
    at::Tensor attention(const at::Tensor& x, const Precision& precision) const;
    at::Tensor dense_ffn(const at::Tensor& x, const Precision& precision) const;
    at::Tensor sparse_ffn(const at::Tensor& x, const Precision& precision, Auxiliary& auxiliary) const;

    ModelConfig config_;
    bool sparse_;
    at::Tensor attention_norm_, q_, k_, v_, o_, q_norm_, k_norm_, ffn_norm_, router_, in_, out_;
};

}  // namespace imprint::model
