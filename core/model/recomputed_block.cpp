// SPDX-License-Identifier: Apache-2.0
#include "core/model/recomputed_block.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace imprint::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// What the backward pass needs beside the input; the network may be gone by then.
struct Held : torch::CustomClassHolder {
    Held(const Block& block, const std::vector<at::Tensor>& tensors, const Precision& precision, const at::Tensor& attention_bias)
        : block(block), tensors(tensors), precision(precision), attention_bias(attention_bias)
    {
    }
    Block block;
    std::vector<at::Tensor> tensors;
    Precision precision;
    at::Tensor attention_bias;
};

/// The block's outputs that gradients come back for: the tokens, and the auxiliary losses that there are.
variable_list outputs_of(const Held& held, const at::Tensor& x, Auxiliary& auxiliary)
{
    variable_list outputs{held.block.forward(x, held.precision, auxiliary, held.attention_bias)};
    for (const at::Tensor& loss : {auxiliary.z_loss, auxiliary.balance_loss})
        if (loss.defined())
            outputs.push_back(loss);
    return outputs;
}

struct Recomputed : torch::autograd::Function<Recomputed> {
    static variable_list forward(AutogradContext* context, const c10::intrusive_ptr<Held>& held, Auxiliary* auxiliary,
                                 const at::Tensor& x, at::TensorList)
    {
        context->save_for_backward({x});
        context->saved_data["held"] = c10::IValue::make_capsule(held);
        return outputs_of(*held, x, *auxiliary);
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients)
    {
        const auto capsule = context->saved_data["held"].toCapsule();
        const Held& held = static_cast<const Held&>(*capsule);
        const at::Tensor before = context->get_saved_variables()[0];
        const at::Tensor x = before.detach().requires_grad_(before.requires_grad());
        Auxiliary auxiliary;
        variable_list outputs;
        {
            const at::AutoGradMode with_graph(true);
            outputs = outputs_of(held, x, auxiliary);
        }
        variable_list wanted, given, inputs;
        for (size_t i = 0; i < outputs.size(); ++i)
            if (gradients[i].defined() && outputs[i].requires_grad()) {
                wanted.push_back(outputs[i]);
                given.push_back(gradients[i]);
            }
        // In the order of forward()'s arguments: the first two are no tensors.
        variable_list all{x};
        all.insert(all.end(), held.tensors.begin(), held.tensors.end());
        std::copy_if(all.begin(), all.end(), std::back_inserter(inputs),
                     [](const at::Tensor& tensor) { return tensor.requires_grad(); });
        const variable_list found = torch::autograd::grad(wanted, inputs, given, false, false, true);
        variable_list result(2);
        size_t next = 0;
        for (const at::Tensor& tensor : all)
            result.push_back(tensor.requires_grad() ? found[next++] : at::Tensor());
        return result;
    }
};

}  // namespace

at::Tensor recomputed(const Block& block, const std::vector<at::Tensor>& tensors, const at::Tensor& x, const Precision& precision,
                      Auxiliary& auxiliary, const at::Tensor& attention_bias)
{
    Auxiliary own;
    own.probing = auxiliary.probing;
    const variable_list outputs =
        Recomputed::apply(c10::make_intrusive<Held>(block, tensors, precision, attention_bias), &own, x, at::TensorList(tensors));
    size_t next = 1;
    const auto add = [&](const at::Tensor& there, at::Tensor& sum) {
        if (!there.defined())
            return;
        sum = sum.defined() ? sum + outputs[next] : outputs[next];
        ++next;
    };
    add(own.z_loss, auxiliary.z_loss);
    add(own.balance_loss, auxiliary.balance_loss);
    std::move(own.probes.begin(), own.probes.end(), std::back_inserter(auxiliary.probes));
    return outputs[0];
}

}  // namespace imprint::model
