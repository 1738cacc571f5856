// SPDX-License-Identifier: Apache-2.0
// The CUDA body of depthwise_conv.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "kernels/bodies.h"
#include "kernels/cuda_bodies.h"
#include "kernels/cuda_stream.h"
#include "kernels/cuda_types.h"
#include "kernels/depthwise_conv_cuda.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

at::Tensor depthwise_conv_body(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride,
                               double clamp_high)
{
    const at::Tensor output = depthwise_conv_result(input, weight, bias, stride, clamp_high);
    const c10::OptionalDeviceGuard guard(input.device());
    check(depthwise_conv(depthwise_conv_shape(input, weight, stride, clamp_high), input.size(0), data<float>(input),
                         data<float>(weight), data<float>(bias), mutable_data<float>(output), stream_of(input)),
          "depthwise_conv");
    return output;
}

}  // namespace

void register_depthwise_conv(torch::Library& library) { library.impl("depthwise_conv", depthwise_conv_body); }

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
