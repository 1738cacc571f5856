// SPDX-License-Identifier: Apache-2.0
// The CUDA bodies of layer_norm.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "kernels/bodies.h"
#include "kernels/cuda_bodies.h"
#include "kernels/cuda_stream.h"
#include "kernels/cuda_types.h"
#include "kernels/layer_norm_cuda.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

ThreeTensors forward_body(const at::Tensor& x, const at::Tensor& scale, const MaybeTensor& bias, double epsilon)
{
    const ThreeTensors made = layer_norm_result(x, scale, bias, epsilon);
    const auto& [result, means, inverses] = made;
    const NormShape shape{means.size(0), scale.size(0), epsilon};
    const c10::OptionalDeviceGuard guard(x.device());
    for_type(x, [&, &result = result, &means = means, &inverses = inverses](auto zero) {
        using T = decltype(zero);
        check(layer_norm(shape, data<T>(x), data<float>(scale), data<float>(bias), mutable_data<T>(result),
                         mutable_data<float>(means), mutable_data<float>(inverses), stream_of(x)),
              "layer_norm");
    });
    return made;
}

ThreeTensors backward_body(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& scale, const at::Tensor& means,
                           const at::Tensor& inverses)
{
    const at::Tensor gradient = std::get<0>(layer_norm_backward_result(grad, x, scale, means, inverses));
    const NormShape shape{means.size(0), scale.size(0), 0};
    const c10::OptionalDeviceGuard guard(x.device());
    const at::Tensor partial = at::empty({(shape.rows + kNormRows - 1) / kNormRows, 2, shape.width}, scale.options());
    const at::Tensor parameters = at::empty({2, shape.width}, scale.options());
    for_type(x, [&](auto zero) {
        using T = decltype(zero);
        check(layer_norm_backward(shape, data<T>(grad), data<T>(x), data<float>(scale), data<float>(means), data<float>(inverses),
                                  mutable_data<T>(gradient), mutable_data<float>(partial), mutable_data<float>(parameters),
                                  stream_of(x)),
              "layer_norm_backward");
    });
    return {gradient, parameters[0], parameters[1]};
}

}  // namespace

void register_layer_norm(torch::Library& library)
{
    library.impl("layer_norm", forward_body);
    library.impl("layer_norm_backward", backward_body);
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
