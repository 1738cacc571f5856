// SPDX-License-Identifier: Apache-2.0
// BERT on ATen and the parts of a block.
#include "core/model/text_trunk.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/base/error.h"

namespace imprint::model {
namespace {

constexpr const char* kAffines[] = {"q", "k", "v", "o", "in", "out"};
constexpr const char* kNorms[] = {"attention.norm", "output.norm"};

std::string layer_name(int layer, const char* part) { return "layers." + std::to_string(layer) + "." + part; }

/// Asks for a tensor and holds its shape against what is wanted; −1 stands for any length.
class Checked {
public:
    explicit Checked(const std::function<at::Tensor(const std::string&)>& lookup) : lookup_(lookup) { }

    at::Tensor operator()(const std::string& name, std::vector<int64_t> wanted) const
    {
        const at::Tensor tensor = lookup_(name).to(at::kFloat);
        bool fits = tensor.dim() == static_cast<int64_t>(wanted.size());
        for (size_t i = 0; fits && i < wanted.size(); ++i)
            fits = wanted[i] < 0 ? tensor.size(static_cast<int64_t>(i)) > 0 : tensor.size(static_cast<int64_t>(i)) == wanted[i];
        if (!fits)
            throw Error(ErrorKind::Malformed, "text trunk",
                        "tensor \"" + name + "\" has a shape that does not fit its neighbours",
                        "The file is damaged; get it again");
        return tensor.contiguous();
    }

private:
    const std::function<at::Tensor(const std::string&)>& lookup_;
};

}  // namespace

std::vector<std::string> TextTrunk::parameter_names(const ModelConfig& config)
{
    std::vector<std::string> names = {"pieces", "position", "norm.scale", "norm.bias"};
    for (int layer = 0; layer < config.text_trunk_layers; ++layer) {
        for (const char* part : kAffines)
            for (const char* what : {".kernel", ".bias"})
                names.push_back(layer_name(layer, part) + what);
        for (const char* part : kNorms)
            for (const char* what : {".scale", ".bias"})
                names.push_back(layer_name(layer, part) + what);
    }
    return names;
}

TextTrunk::TextTrunk(const ModelConfig& config, const Precision& precision,
                     const std::function<at::Tensor(const std::string& name)>& lookup)
    : heads_(config.text_trunk_heads), precision_(precision)
{
    const Checked get(lookup);
    const int64_t width = config.text_trunk_width;
    const auto norm = [&](const std::string& name) { return Norm{get(name + ".scale", {width}), get(name + ".bias", {width})}; };
    const auto affine = [&](const std::string& name, int64_t out, int64_t in) {
        const at::Tensor kernel = get(name + ".kernel", {out, in});
        return Affine{kernel.to(precision.products), get(name + ".bias", {kernel.size(0)})};
    };
    pieces_ = get("pieces", {config.vocabulary, width});
    position_ = get("position", {config.max_text_tokens, width});
    norm_ = norm("norm");
    for (int n = 0; n < config.text_trunk_layers; ++n) {
        Layer& layer = layers_.emplace_back();
        layer.q = affine(layer_name(n, "q"), width, width);
        layer.k = affine(layer_name(n, "k"), width, width);
        layer.v = affine(layer_name(n, "v"), width, width);
        layer.o = affine(layer_name(n, "o"), width, width);
        layer.in = affine(layer_name(n, "in"), -1, width);
        layer.out = affine(layer_name(n, "out"), width, layer.in.kernel.size(0));
        layer.attention = norm(layer_name(n, "attention.norm"));
        layer.output = norm(layer_name(n, "output.norm"));
    }
}

at::Tensor TextTrunk::apply(const Affine& layer, const at::Tensor& x) const
{
    return linear(x, layer.kernel, layer.bias, precision_);
}

at::Tensor TextTrunk::apply(const Norm& norm, const at::Tensor& x)
{
    constexpr double epsilon = 1e-12;
    return layer_norm(x, norm.scale, norm.bias, epsilon);
}

TextTrunk::Output TextTrunk::forward(const at::Tensor& ids) const
{
    const at::NoGradGuard frozen;
    IMPRINT_ASSERT(ids.dim() == 2 && ids.size(1) >= 1 && ids.size(1) <= position_.size(0));
    const int64_t batch = ids.size(0), tokens = ids.size(1), width = pieces_.size(1);
    at::Tensor x = apply(norm_, pieces_.index({ids}) + position_.narrow(0, 0, tokens));
    for (const Layer& layer : layers_) {
        const auto split = [&](const Affine& part) {
            return apply(part, x).to(precision_.products).view({batch, tokens, heads_, width / heads_}).transpose(1, 2);
        };
        const at::Tensor mixed = attend(split(layer.q), split(layer.k), split(layer.v));
        x = apply(layer.attention, x + apply(layer.o, mixed.transpose(1, 2).reshape({batch, tokens, width})));
        x = apply(layer.output, x + apply(layer.out, at::gelu(apply(layer.in, x))));
    }
    const at::Tensor mean = x.mean(1);
    return {x, mean / mean.norm(2, {-1}, true).clamp_min(1e-12)};
}

}  // namespace imprint::model
