// SPDX-License-Identifier: Apache-2.0
// Compares a derivative that autograd gives with central differences in float64.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <vector>

namespace imprint::test {

/// The largest difference between autograd and central differences over all elements of all inputs, relative to the
/// largest derivative (at least 1). `function` maps float64 inputs to a float64 tensor; its sum with fixed random weights
/// is what is derived, so that no direction cancels.
inline double gradient_error(const std::function<at::Tensor(const std::vector<at::Tensor>&)>& function,
                             const std::vector<at::Tensor>& inputs, double step = 1e-5)
{
    std::vector<at::Tensor> leaves;
    for (const at::Tensor& input : inputs)
        leaves.push_back(input.detach().clone().set_requires_grad(true));
    const at::Tensor result = function(leaves);
    const at::Tensor weights = at::linspace(0.3, 1.7, result.numel(), result.options().requires_grad(false)).view_as(result);
    const auto derived = torch::autograd::grad({(result * weights).sum()}, leaves);

    double worst = 0, largest = 1;
    const c10::NoGradGuard no_grad;
    for (size_t i = 0; i < inputs.size(); ++i) {
        const at::Tensor numeric = at::empty_like(inputs[i], at::MemoryFormat::Contiguous);
        std::vector<at::Tensor> moved = inputs;
        moved[i] = inputs[i].clone(at::MemoryFormat::Contiguous);
        double* value = moved[i].mutable_data_ptr<double>();
        for (int64_t element = 0; element < numeric.numel(); ++element) {
            const double before = value[element];
            const auto at_offset = [&](double offset) {
                value[element] = before + offset;
                return (function(moved) * weights).sum().item<double>();
            };
            const double above = at_offset(step), below = at_offset(-step);
            value[element] = before;
            numeric.mutable_data_ptr<double>()[element] = (above - below) / (2 * step);
        }
        worst = std::max(worst, (numeric - derived[i]).abs().max().item<double>());
        largest = std::max(largest, numeric.abs().max().item<double>());
    }
    return worst / largest;
}

}  // namespace imprint::test
