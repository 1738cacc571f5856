// SPDX-License-Identifier: Apache-2.0
// The frozen sentence encoder of the hybrid text stem.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "core/model/layers.h"

namespace imprint::model {

/// BERT's encoder (Devlin et al. 2019: post-LN blocks, biases, GELU by the error function, layer norm with ε = 1e-12) with
/// the mean over its tokens as the sentence's vector, as training/corpus/convert_text_trunk.py writes all-MiniLM-L6-v2.
/// Layers and heads are the configuration's, widths come from the weights.
///
/// Parameters (kernels [out, in]):
///   pieces [vocabulary, w]     position [longest, w], the one segment's vector included     norm.scale, norm.bias [w]
///   layers.N.{q,k,v,o,in,out}.kernel, .bias     layers.N.{attention,output}.norm.scale, .bias
///
/// const methods may be called from several threads at once. Nothing is recorded for autograd.
class TextTrunk {
public:
    /// Asks `lookup` once for each of parameter_names(). Throws Error(Malformed) naming a parameter whose shape does not fit
    /// the configuration or its neighbours; what `lookup` throws passes through. Matrices are kept in the precision of
    /// products.
    TextTrunk(const ModelConfig& config, const Precision& precision,
              const std::function<at::Tensor(const std::string& name)>& lookup);

    struct Output {
        at::Tensor states;    ///< [batch, tokens, w] fp32
        at::Tensor sentence;  ///< [batch, w] fp32, unit length
    };
    /// ids: int64 [batch, tokens], with the marks of begin and end that the tokenizer sets; all of one length, without pads;
    /// at most as many tokens as `position` has rows.
    Output forward(const at::Tensor& ids) const;

    static std::vector<std::string> parameter_names(const ModelConfig& config);

private:
    struct Affine {
        at::Tensor kernel, bias;
    };
    struct Norm {
        at::Tensor scale, bias;
    };
    struct Layer {
        Affine q, k, v, o, in, out;
        Norm attention, output;
    };

    at::Tensor apply(const Affine& layer, const at::Tensor& x) const;
    static at::Tensor apply(const Norm& norm, const at::Tensor& x);

    int64_t heads_;
    Precision precision_;
    at::Tensor pieces_, position_;
    Norm norm_;
    std::vector<Layer> layers_;
};

}  // namespace imprint::model
