// SPDX-License-Identifier: Apache-2.0
// The frozen convolutional trunk of the hybrid vision stem: EfficientNet-lite0 with batch norm folded in, channels
// last.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "core/model/panels.h"

namespace imprint::model
{

/// EfficientNet-lite0 (Tan & Le 2019, the "lite" form: ReLU6, no squeeze-and-excitation, TensorFlow's "same" padding)
/// as training/corpus/convert_trunk.py writes it. Depth, strides and residuals are lite0's; widths come from the
/// weights.
///
/// Parameters, float32 or any other floating type (kept as float32):
///   stem.weight [c, 3, 3, 3] (out, in, row, column)      stem.bias [c]
///   blocks.N.expand.weight [e, c], .bias [e]             1×1; block 0 has none
///   blocks.N.depthwise.weight [k, k, e], .bias [e]
///   blocks.N.project.weight [c, e], .bias [c]            1×1
///   head.weight [f, c], .bias [f]                        1×1; f = 1280
///   classifier.weight [classes, f], .bias [classes]      1000 ImageNet classes
///
/// On the CPU every image is computed on its own by one thread: the same image gives the same bits at any place in any
/// batch, with any number of threads. const methods may be called from several threads at once. Nothing is recorded for
/// autograd.
class Trunk
{
public:
    /// Asks `lookup` once for each of parameter_names(). Throws Error(Malformed) naming a parameter whose shape does
    /// not fit its neighbours; what `lookup` throws passes through.
    explicit Trunk(const std::function<at::Tensor(const std::string& name)>& lookup);

    struct Output {
        at::Tensor
            map; ///< [batch, rows, columns, 1280], each value in [0, 6]; rows = ⌈height/32⌉, columns = ⌈width/32⌉
        at::Tensor logits; ///< [batch, 1000], the classifier on the mean over the map
        /// For a network that takes the last stages further itself (trunk_tail.h), else undefined: [batch, ⌈height/16⌉,
        /// ⌈width/16⌉, 112], what block kTailBegins is given.
        at::Tensor middle;

        /// What the network reads.
        const at::Tensor& for_network() const { return middle.defined() ? middle : map; }
    };

    /// The first block of the last stages.
    static constexpr size_t kTailBegins = 11;

    /// pixels: uint8 [batch, height, width, 3], sRGB, contiguous, on the weights' device; any height and width, at
    /// their final size (nothing is resized here). Needs about 5 MB of scratch memory per thread at 224×224.
    Output forward(const at::Tensor& pixels, bool with_middle = false) const;

    int64_t map_channels() const { return head_.bias.size(0); }
    int64_t classes() const { return classifier_.bias.size(0); }

    static std::vector<std::string> parameter_names();

private:
    struct Pointwise {
        at::Tensor weight; ///< [out, in]
        Panels panels; ///< the same; undefined unless in_bands_
        at::Tensor bias;
    };
    struct Block {
        Pointwise expand, project; ///< expand.bias is undefined in block 0
        at::Tensor filter, filter_bias;
        int64_t stride = 1;
        bool residual = false;
    };

    Pointwise make_pointwise(const at::Tensor& weight, const at::Tensor& bias) const;
    at::Tensor stem(const at::Tensor& pixels) const;
    static at::Tensor apply(const Pointwise& layer, const at::Tensor& input, bool clamp);
    /// Sets `middle` where it is not null.
    at::Tensor map_of(const at::Tensor& pixels, at::Tensor* middle) const;
    /// One picture [height, width, 3] into its map, and `middle` where that is defined.
    void map_in_bands(const at::Tensor& pixels, const at::Tensor& map, const at::Tensor& middle) const;

    static constexpr float kClampHigh = 6; ///< ReLU6

    bool in_bands_ = false; ///< on a CPU that has the micro product
    Panels stem_panels_; ///< [out, row · column · in]
    at::Tensor stem_weight_, stem_bias_;
    std::vector<Block> blocks_;
    Pointwise head_, classifier_;
};

} // namespace imprint::model
