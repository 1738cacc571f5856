// SPDX-License-Identifier: Apache-2.0
// EfficientNet-lite0: on the CPU picture by picture in bands (trunk_bands.cpp); elsewhere, and on processors without libtorch's
// micro product, on ATen with 1×1 convolutions as matrix products and depthwise ones by our kernel.
#include "core/model/trunk.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "kernels/depthwise_conv.h"
#include "kernels/row_loops_cpu.h"

namespace imprint::model
{
namespace
{

struct Stage {
    int repeats;
    int64_t kernel, stride; // of the first repeat; the others have stride 1
};
constexpr std::array<Stage, 7> kStages{{{1, 3, 1}, {2, 3, 2}, {2, 5, 2}, {3, 3, 2}, {3, 5, 1}, {4, 5, 2}, {1, 3, 1}}};

// Products of one group of images share their shape whatever the batch, so that a row's last bits cannot change.
constexpr int64_t kClassifierRows = 8;

std::string block_name(size_t block, const char* part)
{
    return "blocks." + std::to_string(block) + "." + part;
}

std::string describe(at::IntArrayRef sizes)
{
    std::string text = "[";
    for (size_t i = 0; i < sizes.size(); ++i)
        text += (i ? ", " : "") + std::to_string(sizes[i]);
    return text + "]";
}

// Fetches parameters and checks their shapes; -1 stands for any positive size.
class Reader
{
public:
    explicit Reader(const std::function<at::Tensor(const std::string&)>& lookup)
        : lookup_(lookup)
    {
    }

    at::Tensor operator()(const std::string& name, std::vector<int64_t> wanted) const
    {
        const at::Tensor tensor = lookup_(name);
        bool fits = tensor.defined() && at::isFloatingType(tensor.scalar_type())
            && tensor.dim() == static_cast<int64_t>(wanted.size());
        for (size_t i = 0; fits && i < wanted.size(); ++i)
            fits = wanted[i] == -1 ? tensor.size(i) > 0 : tensor.size(i) == wanted[i];
        if (!fits)
            throw Error(ErrorKind::Malformed, "trunk parameter " + name,
                "wanted numbers of shape " + describe(wanted) + ", found "
                    + (tensor.defined()
                            ? std::string(at::toString(tensor.scalar_type())) + " " + describe(tensor.sizes())
                            : std::string("nothing")),
                "Use a checkpoint written for this network");
        return tensor.detach().to(at::kFloat).contiguous();
    }

private:
    const std::function<at::Tensor(const std::string&)>& lookup_;
};

// Calls body(0) … body(count − 1), each on one thread with everything below it single-threaded.
void for_each_alone(int64_t count, const std::function<void(int64_t)>& body)
{
    const at::ThreadLocalState state;
    // Two ranges at least where there are two threads: a lone item would otherwise run outside the parallel region, its
    // products would be split over the threads, and its last bits would differ from those it has in a larger batch.
    const int64_t slots = std::max<int64_t>(count, at::get_num_threads());
    at::parallel_for(0, slots, 1, [&](int64_t first, int64_t last) {
        const at::ThreadLocalStateGuard guard(state);
        for (int64_t i = first; i < std::min(last, count); ++i)
            body(i);
    });
}

// [batch, height, width, 3] bytes to numbers with the padding of a 3×3 convolution of stride 2 around them.
at::Tensor padded_input(const at::Tensor& pixels)
{
    const auto padding = [](int64_t in) { return std::max<int64_t>(((in + 1) / 2 - 1) * 2 + 3 - in, 0); };
    const int64_t down = padding(pixels.size(1)), across = padding(pixels.size(2));
    // The network was trained on (x − 127) / 128; the padding is zero after that.
    return at::constant_pad_nd(
        pixels.to(at::kFloat).sub_(127).div_(128), {0, 0, across / 2, across - across / 2, down / 2, down - down / 2});
}

} // namespace

std::vector<std::string> Trunk::parameter_names()
{
    std::vector<std::string> names{"stem.weight", "stem.bias"};
    size_t block = 0;
    for (const Stage& stage : kStages)
        for (int repeat = 0; repeat < stage.repeats; ++repeat, ++block)
            for (const char* part : {"expand.weight", "expand.bias", "depthwise.weight", "depthwise.bias",
                     "project.weight", "project.bias"})
                if (block > 0 || part[0] != 'e')
                    names.push_back(block_name(block, part));
    names.insert(names.end(), {"head.weight", "head.bias", "classifier.weight", "classifier.bias"});
    return names;
}

Trunk::Trunk(const std::function<at::Tensor(const std::string& name)>& lookup)
{
    const at::NoGradGuard no_grad;
    const Reader read(lookup);
    const auto read_pointwise = [&](const std::string& name, int64_t in, int64_t out) {
        const at::Tensor weight = read(name + ".weight", {out, in});
        return make_pointwise(weight, read(name + ".bias", {weight.size(0)}));
    };

    stem_weight_ = read("stem.weight", {-1, 3, 3, 3});
    in_bands_ = stem_weight_.is_cpu() && Panels::available();
    int64_t channels = stem_weight_.size(0);
    stem_bias_ = read("stem.bias", {channels});
    if (in_bands_)
        stem_panels_ = Panels(stem_weight_.permute({0, 2, 3, 1}).flatten(1));

    for (const Stage& stage : kStages) {
        for (int repeat = 0; repeat < stage.repeats; ++repeat) {
            const size_t number = blocks_.size();
            Block& block = blocks_.emplace_back();
            block.stride = repeat == 0 ? stage.stride : 1;
            int64_t wide = channels;
            if (number > 0) {
                block.expand = read_pointwise(block_name(number, "expand"), channels, -1);
                wide = block.expand.bias.size(0);
            }
            block.filter = read(block_name(number, "depthwise.weight"), {stage.kernel, stage.kernel, wide});
            block.filter_bias = read(block_name(number, "depthwise.bias"), {wide});
            block.residual = repeat > 0;
            block.project
                = read_pointwise(block_name(number, "project"), wide, block.residual ? channels : -1);
            channels = block.project.bias.size(0);
        }
    }
    head_ = read_pointwise("head", channels, -1);
    classifier_ = read_pointwise("classifier", head_.bias.size(0), -1);
}

Trunk::Pointwise Trunk::make_pointwise(const at::Tensor& weight, const at::Tensor& bias) const
{
    return {weight, in_bands_ ? Panels(weight) : Panels(), bias};
}

at::Tensor Trunk::stem(const at::Tensor& pixels) const
{
    const at::Tensor padded = padded_input(pixels);
    // Libtorch has no convolution for the meta device outside Python; a product over unfolded columns runs everywhere.
    const at::Tensor columns = padded.unfold(1, 3, 2).unfold(2, 3, 2).flatten(3); // [batch, rows, columns, in · 3 · 3]
    return at::linear(columns, stem_weight_.flatten(1), stem_bias_).clamp_(0, kClampHigh);
}

at::Tensor Trunk::apply(const Pointwise& layer, const at::Tensor& input, bool clamp)
{
    at::Tensor output = at::linear(input, layer.weight, layer.bias);
    return clamp ? output.clamp_(0, kClampHigh) : output;
}

at::Tensor Trunk::map_of(const at::Tensor& pixels, at::Tensor* middle) const
{
    at::Tensor x = stem(pixels);
    for (const Block& block : blocks_) {
        if (middle && &block == &blocks_[kTailBegins])
            *middle = x;
        const at::Tensor wide = block.expand.bias.defined() ? apply(block.expand, x, true) : x;
        const at::Tensor filtered
            = kernels::depthwise_conv(wide, block.filter, block.filter_bias, block.stride, kClampHigh);
        at::Tensor narrow = apply(block.project, filtered, false);
        x = block.residual ? narrow.add_(x) : narrow;
    }
    return apply(head_, x, true);
}

Trunk::Output Trunk::forward(const at::Tensor& pixels, bool with_middle) const
{
    IMPRINT_ASSERT(
        pixels.dim() == 4 && pixels.size(3) == 3 && pixels.scalar_type() == at::kByte && pixels.is_contiguous());
    IMPRINT_ASSERT(pixels.size(1) > 0 && pixels.size(2) > 0 && pixels.device() == stem_bias_.device());
    const at::NoGradGuard no_grad;
    if (!pixels.is_cpu()) {
        at::Tensor middle;
        const at::Tensor map = map_of(pixels, with_middle ? &middle : nullptr);
        return {map, apply(classifier_, map.mean(at::IntArrayRef{1, 2}), false), middle};
    }

    const int64_t batch = pixels.size(0);
    const auto options = stem_bias_.options();
    const auto shrunk = [&](int64_t by, int64_t channels) {
        const auto side = [&](int64_t axis) { return (pixels.size(axis) + by - 1) / by; };
        return at::empty({batch, side(1), side(2), channels}, options);
    };
    const at::Tensor map = shrunk(32, map_channels());
    at::Tensor middle;
    if (with_middle)
        middle = shrunk(16, blocks_[kTailBegins - 1].project.bias.size(0));
    const int64_t groups = (batch + kClassifierRows - 1) / kClassifierRows;
    const at::Tensor means = at::zeros({groups * kClassifierRows, map_channels()}, options);
    for_each_alone(batch, [&](int64_t i) {
        const at::Tensor one = map.select(0, i), its_middle = with_middle ? middle.select(0, i) : at::Tensor();
        if (in_bands_) {
            map_in_bands(pixels.select(0, i), one, its_middle);
        } else {
            at::Tensor found;
            one.copy_(map_of(pixels.narrow(0, i, 1), with_middle ? &found : nullptr).select(0, 0));
            if (with_middle)
                its_middle.copy_(found.select(0, 0));
        }
        means.select(0, i).copy_(one.mean(at::IntArrayRef{0, 1}));
    });
    const at::Tensor logits = at::empty({groups * kClassifierRows, classes()}, options);
    for_each_alone(groups, [&](int64_t group) {
        const auto rows
            = [&](const at::Tensor& all) { return all.narrow(0, group * kClassifierRows, kClassifierRows); };
        if (!in_bands_) {
            rows(logits).copy_(apply(classifier_, rows(means), false));
            return;
        }
        const at::Tensor in = rows(means), out = rows(logits);
        kernels::fill_with_bias(out.mutable_data_ptr<float>(), kClassifierRows, classes(), classifier_.bias.const_data_ptr<float>(), nullptr);
        classifier_.panels.add_product(in.const_data_ptr<float>(), kClassifierRows, out.mutable_data_ptr<float>());
    });
    return {map, logits.narrow(0, 0, batch), middle};
}

} // namespace imprint::model
