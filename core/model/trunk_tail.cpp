// SPDX-License-Identifier: Apache-2.0
#include "core/model/trunk_tail.h"

#include <ATen/ATen.h>

#include "kernels/depthwise_conv.h"

namespace imprint::model {
namespace {

constexpr double kClampHigh = 6;  // ReLU6, as in the trunk

}  // namespace

TrunkTail::TrunkTail(const ModelConfig& config, const Parameters& parameters)
{
    const auto given = [&](const std::string& name) { return parameters.at(kTrunkPrefix + name); };
    const auto pointwise = [&](const std::string& name) {
        const auto own = [&](const char* part) { return parameters.at("vision.tail." + name + part); };
        return Pointwise{given(name + ".weight"), given(name + ".bias"), own(".down"), own(".up"), own(".bias")};
    };
    for (const TailBlock& block : tail_blocks(config))
        blocks_.push_back({pointwise(block.name + "expand"), pointwise(block.name + "project"),
                           given(block.name + "depthwise.weight"), given(block.name + "depthwise.bias"), block.stride,
                           block.residual});
    head_ = pointwise("head");
}

at::Tensor TrunkTail::Pointwise::operator()(const at::Tensor& x, const Precision& precision) const
{
    if (!down.defined())
        return linear(x, weight, bias, precision);
    const at::Tensor adapted = linear(linear(x, down, {}, precision), up, {}, precision);
    return linear(x, weight, bias + own_bias, precision) + widened(adapted);
}

TrunkTail::Pointwise TrunkTail::Pointwise::merged(at::ScalarType products) const
{
    if (!down.defined() || up.requires_grad())
        return *this;
    return {
        (weight.to(at::kFloat) + at::matmul(up.to(at::kFloat), down.to(at::kFloat))).to(products), bias + own_bias, {}, {}, {}};
}

TrunkTail TrunkTail::merged(at::ScalarType products) const
{
    TrunkTail result = *this;
    for (Block& block : result.blocks_) {
        block.expand = block.expand.merged(products);
        block.project = block.project.merged(products);
    }
    result.head_ = head_.merged(products);
    return result;
}

at::Tensor TrunkTail::forward(const at::Tensor& middle, const Precision& precision) const
{
    at::Tensor x = widened(middle);
    for (const Block& block : blocks_) {
        const at::Tensor wide = within(block.expand(x, precision), 0, kClampHigh);
        // The operator knows fp32 alone.
        const at::Tensor filtered = kernels::depthwise_conv(wide.to(at::kFloat).contiguous(), block.filter.to(at::kFloat),
                                                            block.filter_bias.to(at::kFloat), block.stride, kClampHigh);
        const at::Tensor narrow = block.project(filtered, precision);
        x = block.residual ? narrow + x : narrow;
    }
    return within(head_(x, precision), 0, kClampHigh);
}

}  // namespace imprint::model
