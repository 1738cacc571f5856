// SPDX-License-Identifier: Apache-2.0
// Schema, checks, dispatch and derivative of depthwise_conv, with the CPU and Meta registrations.
#include "kernels/depthwise_conv.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <limits>

#include "kernels/bodies.h"
#include "kernels/depthwise_conv_cpu.h"
#include "kernels/operator.h"

namespace imprint::kernels {
namespace {

int64_t same_padding_before(int64_t in, int64_t out, int64_t kernel, int64_t stride)
{
    return std::max<int64_t>((out - 1) * stride + kernel - in, 0) / 2;
}

void check_arguments(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride)
{
    TORCH_CHECK(input.dim() == 4 && weight.dim() == 3 && bias.dim() == 1,
                "depthwise_conv: wanted input [batch, height, width, channels], weight [k, k, channels], bias [channels], got ",
                input.sizes(), ", ", weight.sizes(), ", ", bias.sizes());
    const int64_t kernel = weight.size(0), channels = input.size(3);
    TORCH_CHECK(weight.size(1) == kernel && (kernel == 3 || kernel == 5), "depthwise_conv: the filter must be 3×3 or 5×5, got ",
                weight.size(0), "×", weight.size(1));
    TORCH_CHECK(stride == 1 || stride == 2, "depthwise_conv: the stride must be 1 or 2, got ", stride);
    TORCH_CHECK(weight.size(2) == channels && bias.size(0) == channels, "depthwise_conv: the input has ", channels,
                " channels, the weight ", weight.size(2), ", the bias ", bias.size(0));
    for (const at::Tensor* tensor : {&input, &weight, &bias}) {
        TORCH_CHECK(tensor->scalar_type() == at::kFloat, "depthwise_conv: wanted float32, got ", tensor->scalar_type());
        TORCH_CHECK(tensor->is_contiguous(), "depthwise_conv: wanted contiguous tensors");
        TORCH_CHECK(tensor->device() == input.device(), "depthwise_conv: tensors on ", input.device(), " and ", tensor->device());
    }
}

}  // namespace

DepthwiseConvShape depthwise_conv_shape(const at::Tensor& input, const at::Tensor& weight, int64_t stride, double clamp_high)
{
    const int64_t kernel = weight.size(0), channels = input.size(3);
    DepthwiseConvShape shape{};
    shape.height = input.size(1);
    shape.width = input.size(2);
    shape.channels = channels;
    shape.out_height = (shape.height + stride - 1) / stride;
    shape.out_width = (shape.width + stride - 1) / stride;
    shape.pad_top = same_padding_before(shape.height, shape.out_height, kernel, stride);
    shape.pad_left = same_padding_before(shape.width, shape.out_width, kernel, stride);
    shape.kernel = kernel;
    shape.stride = stride;
    shape.clamp_high = static_cast<float>(clamp_high);
    return shape;
}

at::Tensor depthwise_conv_result(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride,
                                 double clamp_high)
{
    check_arguments(input, weight, bias, stride);
    const auto shape = depthwise_conv_shape(input, weight, stride, clamp_high);
    return at::empty({input.size(0), shape.out_height, shape.out_width, shape.channels}, input.options());
}

namespace {

at::Tensor depthwise_conv_cpu(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride,
                              double clamp_high)
{
    at::Tensor output = depthwise_conv_result(input, weight, bias, stride, clamp_high);
    const auto shape = depthwise_conv_shape(input, weight, stride, clamp_high);
    const float* in = input.const_data_ptr<float>();
    const float* filter = weight.const_data_ptr<float>();
    const float* offset = bias.const_data_ptr<float>();
    float* out = output.mutable_data_ptr<float>();
    const DepthwiseConvRows rows = depthwise_conv_bodies().front().rows;
    // Below some tens of thousands of products, starting a second thread costs more than it saves.
    const int64_t products_per_row = std::max<int64_t>(shape.out_width * shape.channels * shape.kernel * shape.kernel, 1);
    const int64_t grain = std::max<int64_t>(1, 65536 / products_per_row);
    at::parallel_for(0, input.size(0) * shape.out_height, grain,
                     [&](int64_t first, int64_t last) { rows(shape, in, filter, offset, out, first, last); });
    return output;
}

at::Tensor call(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride, double clamp_high)
{
    static const auto op = operator_handle<decltype(depthwise_conv)>("imprint::depthwise_conv");
    return op.call(input, weight, bias, stride, clamp_high);
}

/// The gradient [batch, out height, out width, channels] at the places of the input where the filters' middles stood, 0
/// elsewhere.
at::Tensor at_the_middles(const at::Tensor& gradient, at::IntArrayRef input, const DepthwiseConvShape& shape)
{
    at::Tensor spread = at::zeros(input, gradient.options());
    const auto every = [&](const at::Tensor& rows, int64_t axis, int64_t count, int64_t padding) {
        const int64_t first = shape.kernel / 2 - padding;
        return rows.slice(axis, first, first + (count - 1) * shape.stride + 1, shape.stride);
    };
    every(every(spread, 1, shape.out_height, shape.pad_top), 2, shape.out_width, shape.pad_left).copy_(gradient);
    return spread;
}

/// weight[k − 1 − y, k − 1 − x]. Flipping has no body on device meta outside Python; gathering has.
at::Tensor turned_round(const at::Tensor& weight)
{
    const int64_t taps = weight.size(0) * weight.size(1), channels = weight.size(2);
    const at::Tensor backwards = at::arange(taps - 1, -1, -1, weight.options().dtype(at::kLong)).unsqueeze(1);
    return weight.view({taps, channels}).gather(0, backwards.expand({taps, channels})).view(weight.sizes());
}

struct DepthwiseConv : torch::autograd::Function<DepthwiseConv> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                              const at::Tensor& bias, int64_t stride, double clamp_high)
    {
        TORCH_CHECK(!weight.requires_grad() && !bias.requires_grad(), "depthwise_conv: filters and biases are constants");
        const at::AutoDispatchBelowADInplaceOrView below;
        const at::Tensor output = call(input, weight, bias, stride, clamp_high);
        context->save_for_backward({weight, output});
        context->saved_data["shape"] = input.sizes().vec();
        context->saved_data["stride"] = stride;
        context->saved_data["clamp_high"] = clamp_high;
        return output;
    }

    // Every input value reaches an output through one tap, so the way back is the same convolution with the filters turned
    // round. The operator cuts off what is below 0: the positive and the negative half go through it one after the other.
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& gradients)
    {
        const auto saved = context->get_saved_variables();
        const at::Tensor &weight = saved[0], &output = saved[1];
        const double high = context->saved_data["clamp_high"].toDouble();
        const auto input = context->saved_data["shape"].toIntVector();
        const auto shape = depthwise_conv_shape(at::empty(input, output.options().device(at::kMeta)), weight,
                                                context->saved_data["stride"].toInt(), high);
        if (output.numel() == 0)
            return {at::zeros(input, output.options()), {}, {}, {}, {}};
        const at::Tensor spread = at_the_middles(gradients[0] * (output > 0) * (output < high), input, shape);
        const at::Tensor turned = turned_round(weight), none = at::zeros({shape.channels}, weight.options());
        const auto half = [&](const at::Tensor& values) {
            return call(values, turned, none, 1, std::numeric_limits<double>::infinity());
        };
        return {half(spread) - half(-spread), {}, {}, {}, {}};
    }
};

}  // namespace

at::Tensor depthwise_conv(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride,
                          double clamp_high)
{
    return DepthwiseConv::apply(input, weight, bias, stride, clamp_high);
}

}  // namespace imprint::kernels

TORCH_LIBRARY_FRAGMENT(imprint, library)
{
    library.def("depthwise_conv(Tensor input, Tensor weight, Tensor bias, int stride, float clamp_high) -> Tensor");
}

TORCH_LIBRARY_IMPL(imprint, CPU, library) { library.impl("depthwise_conv", imprint::kernels::depthwise_conv_cpu); }

TORCH_LIBRARY_IMPL(imprint, Meta, library) { library.impl("depthwise_conv", imprint::kernels::depthwise_conv_result); }
