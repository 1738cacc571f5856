// SPDX-License-Identifier: Apache-2.0
// The parts of a block, as functions of named tensors. All are differentiable where their inputs are, and run on the
// device of their inputs, `meta` included.
// Source of every formula: imp_method.md sections 1.4 and 2.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/parameters.h"
#include "core/model/routing.h"

namespace imprint::model {

/// How products are computed. With BFloat16, matrices and activations are multiplied as bf16 (a matrix that already is
/// bf16 is not converted again) while norms, softmaxes and the router stay in fp32. With Double and parameters in fp64,
/// everything is computed in fp64.
struct Precision {
    at::ScalarType products = at::kFloat;
};

/// fp64 as it is, anything else as fp32: the type of norms, softmaxes and sums.
at::Tensor widened(const at::Tensor& x);

/// x within [low, high]; at the ends it has no slope.
at::Tensor within(const at::Tensor& x, double low, double high);

/// x · kernelᵀ + bias; bias may be undefined. x: [..., in], kernel: [out, in].
at::Tensor linear(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias, const Precision& precision);

/// Layer norm over the last axis with statistics in fp32 (fp64); bias may be undefined. Keeps the dtype of x.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias, double epsilon = 1e-6);

/// softmax(q · kᵀ / √head + bias) · v; bias may be undefined. q, k, v: [batch, heads, tokens, head].
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias = {});

/// One matrix of a block with what stands beside it; all but the kernel may be undefined. For experts every tensor has
/// their number as its first axis and kernel, down and up are [experts, in, out].
struct BlockMatrix {
    at::Tensor kernel, bias, lora_down, lora_up;
    double lora_scale = 0;

    at::Tensor dense(const at::Tensor& x, const Precision& precision) const;
    /// x: [experts, rows, in]
    at::Tensor by_expert(const at::Tensor& x, const Precision& precision) const;
};

/// One pre-LN block. x: [batch, tokens, width].
class Block {
public:
    Block(const ModelConfig& config, const Parameters& parameters, int layer);

    /// attention_bias: [batch, 1, tokens, tokens], added to the scores; may be undefined.
    at::Tensor forward(const at::Tensor& x, const Precision& precision, Auxiliary& auxiliary,
                       const at::Tensor& attention_bias = {}) const;
    /// The half after the second norm, dense or a mixture of experts: [batch, tokens, width] to the same.
    at::Tensor feed_forward(const at::Tensor& normed, const Precision& precision, Auxiliary& auxiliary) const;

private:
    struct Norm {
        at::Tensor scale, bias;
        at::Tensor operator()(const at::Tensor& x) const { return layer_norm(x, scale, bias); }
    };
    at::Tensor attention(const at::Tensor& x, const Precision& precision, const at::Tensor& attention_bias) const;
    at::Tensor dense_ffn(const at::Tensor& x, const Precision& precision) const;
    at::Tensor sparse_ffn(const at::Tensor& x, const Precision& precision, Auxiliary& auxiliary) const;

    ModelConfig config_;
    int layer_;
    bool sparse_;
    Norm attention_norm_, ffn_norm_;
    at::Tensor q_norm_, k_norm_, router_;
    BlockMatrix q_, k_, v_, o_, in_, out_;
};

}  // namespace imprint::model
