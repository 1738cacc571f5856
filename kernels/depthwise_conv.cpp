// SPDX-License-Identifier: Apache-2.0
// Schema, checks and dispatch of depthwise_conv, with the CPU and Meta registrations.
#include "kernels/depthwise_conv.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include "kernels/bodies.h"
#include "kernels/depthwise_conv_cpu.h"

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

}  // namespace

at::Tensor depthwise_conv(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride,
                          double clamp_high)
{
    static const auto op =
        c10::Dispatcher::singleton().findSchemaOrThrow("imprint::depthwise_conv", "").typed<decltype(depthwise_conv)>();
    return op.call(input, weight, bias, stride, clamp_high);
}

}  // namespace imprint::kernels

TORCH_LIBRARY_FRAGMENT(imprint, library)
{
    library.def("depthwise_conv(Tensor input, Tensor weight, Tensor bias, int stride, float clamp_high) -> Tensor");
}

TORCH_LIBRARY_IMPL(imprint, CPU, library) { library.impl("depthwise_conv", imprint::kernels::depthwise_conv_cpu); }

TORCH_LIBRARY_IMPL(imprint, Meta, library) { library.impl("depthwise_conv", imprint::kernels::depthwise_conv_result); }
