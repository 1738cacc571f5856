// SPDX-License-Identifier: Apache-2.0
// Schemas, checks, dispatch and derivative of layer_norm.
#include "kernels/layer_norm.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "kernels/bodies.h"
#include "kernels/layer_norm_cpu.h"
#include "kernels/operator.h"

namespace imprint::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

NormShape checked(const at::Tensor& x, const at::Tensor& scale, const MaybeTensor& bias, double epsilon)
{
    const auto type = x.scalar_type();
    TORCH_CHECK(type == at::kFloat || type == at::kBFloat16 || (type == at::kDouble && !x.is_cuda()),
                "layer_norm: wanted float32 or bfloat16 (float64 on the CPU), got ", type);
    TORCH_CHECK(x.dim() >= 1 && x.size(-1) >= 1, "layer_norm: wanted x [..., width], got ", x.sizes());
    const auto wide = type == at::kDouble ? at::kDouble : at::kFloat;
    for (const at::Tensor* parameter : {&scale, bias ? &*bias : &scale}) {
        TORCH_CHECK(parameter->dim() == 1 && parameter->size(0) == x.size(-1) && parameter->scalar_type() == wide,
                    "layer_norm: wanted scale and bias ", wide, " [", x.size(-1), "], got ", parameter->scalar_type(), " ",
                    parameter->sizes());
        check_together("layer_norm", x, {parameter});
    }
    return {x.numel() / x.size(-1), x.size(-1), epsilon};
}

}  // namespace

ThreeTensors layer_norm_result(const at::Tensor& x, const at::Tensor& scale, const MaybeTensor& bias, double epsilon)
{
    const NormShape shape = checked(x, scale, bias, epsilon);
    return {at::empty(x.sizes(), x.options()), at::empty({shape.rows}, scale.options()),
            at::empty({shape.rows}, scale.options())};
}

ThreeTensors layer_norm_backward_result(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& scale,
                                        const at::Tensor& means, const at::Tensor& inverses)
{
    const NormShape shape = checked(x, scale, {}, 0);
    TORCH_CHECK(grad.sizes() == x.sizes() && grad.scalar_type() == x.scalar_type() && means.numel() == shape.rows
                    && inverses.numel() == shape.rows,
                "layer_norm_backward: the gradient ", grad.scalar_type(), " ", grad.sizes(), " does not fit x ", x.sizes());
    check_together("layer_norm_backward", x, {&grad, &means, &inverses});
    return {at::empty(x.sizes(), x.options()), at::empty({shape.width}, scale.options()),
            at::empty({shape.width}, scale.options())};
}

namespace {

ThreeTensors forward_cpu(const at::Tensor& x, const at::Tensor& scale, const MaybeTensor& bias, double epsilon)
{
    const NormShape shape = checked(x, scale, bias, epsilon);
    const ThreeTensors made = layer_norm_result(x, scale, bias, epsilon);
    const auto& [result, means, inverses] = made;
    AT_DISPATCH_FLOATING_TYPES_AND(
        at::kBFloat16, x.scalar_type(), "layer_norm", [&, &result = result, &means = means, &inverses = inverses] {
            const Sum<scalar_t>* offset = bias ? bias->const_data_ptr<Sum<scalar_t>>() : nullptr;
            at::parallel_for(0, shape.rows, grain_for(shape.width), [&](int64_t first, int64_t last) {
                layer_norm_rows(shape, x.const_data_ptr<scalar_t>(), scale.const_data_ptr<Sum<scalar_t>>(), offset,
                                result.mutable_data_ptr<scalar_t>(), means.mutable_data_ptr<Sum<scalar_t>>(),
                                inverses.mutable_data_ptr<Sum<scalar_t>>(), first, last);
            });
        });
    return made;
}

ThreeTensors backward_cpu(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& scale, const at::Tensor& means,
                          const at::Tensor& inverses)
{
    const NormShape shape = checked(x, scale, {}, 0);
    const at::Tensor gradient = std::get<0>(layer_norm_backward_result(grad, x, scale, means, inverses));
    const int64_t chunks = (shape.rows + kNormChunk - 1) / kNormChunk;
    const at::Tensor sums = at::empty({chunks, 2, shape.width}, scale.options());
    AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, x.scalar_type(), "layer_norm_backward", [&] {
        const auto* slope = grad.const_data_ptr<scalar_t>();
        const auto* value = x.const_data_ptr<scalar_t>();
        const auto* mean = means.const_data_ptr<Sum<scalar_t>>();
        const auto* inverse = inverses.const_data_ptr<Sum<scalar_t>>();
        at::parallel_for(0, shape.rows, grain_for(shape.width), [&](int64_t first, int64_t last) {
            layer_norm_backward_rows(shape, slope, value, scale.const_data_ptr<Sum<scalar_t>>(), mean, inverse,
                                     gradient.mutable_data_ptr<scalar_t>(), first, last);
        });
        at::parallel_for(0, chunks, grain_for(kNormChunk * shape.width), [&](int64_t first, int64_t last) {
            for (int64_t chunk = first; chunk < last; ++chunk)
                layer_norm_parameter_sums(shape, slope, value, mean, inverse,
                                          sums.mutable_data_ptr<Sum<scalar_t>>() + chunk * 2 * shape.width, chunk);
        });
    });
    at::Tensor total = at::zeros({2, shape.width}, scale.options());
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
        total += sums[chunk];
    return {gradient, total[0], total[1]};
}

struct LayerNorm : torch::autograd::Function<LayerNorm> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& scale, const MaybeTensor& bias,
                              double epsilon)
    {
        static const auto op = operator_handle<decltype(forward_cpu)>("imprint::layer_norm");
        const at::AutoDispatchBelowADInplaceOrView below;
        const auto [result, means, inverses] = op.call(x, scale, bias, epsilon);
        context->save_for_backward({x, scale, means, inverses});
        context->saved_data["bias"] = bias.has_value();
        return result;
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients)
    {
        static const auto op = operator_handle<decltype(backward_cpu)>("imprint::layer_norm_backward");
        const variable_list saved = context->get_saved_variables();
        const auto [x, scale, bias] = op.call(gradients[0].contiguous(), saved[0], saved[1], saved[2], saved[3]);
        return {x, scale, context->saved_data["bias"].toBool() ? bias : at::Tensor(), at::Tensor()};
    }
};

}  // namespace

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias, double epsilon)
{
    return LayerNorm::apply(x, scale, bias.defined() ? MaybeTensor(bias) : std::nullopt, epsilon);
}

}  // namespace imprint::kernels

TORCH_LIBRARY_FRAGMENT(imprint, library)
{
    library.def("layer_norm(Tensor x, Tensor scale, Tensor? bias, float epsilon)"
                " -> (Tensor result, Tensor means, Tensor inverses)");
    library.def("layer_norm_backward(Tensor grad, Tensor x, Tensor scale, Tensor means, Tensor inverses)"
                " -> (Tensor x, Tensor scale, Tensor bias)");
}

TORCH_LIBRARY_IMPL(imprint, CPU, library)
{
    library.impl("layer_norm", imprint::kernels::forward_cpu);
    library.impl("layer_norm_backward", imprint::kernels::backward_cpu);
}

TORCH_LIBRARY_IMPL(imprint, Meta, library)
{
    library.impl("layer_norm", imprint::kernels::layer_norm_result);
    library.impl("layer_norm_backward", imprint::kernels::layer_norm_backward_result);
}
