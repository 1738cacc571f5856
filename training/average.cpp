// SPDX-License-Identifier: Apache-2.0
#include "training/average.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/base/error.h"

namespace imprint::training {

Average::Average(const model::Parameters& weights, double decay) : decay_(decay), average_(weights)
{
    IMPRINT_ASSERT(decay >= 0 && decay < 1);
    if (!active())
        return;
    for (auto& [name, tensor] : average_)
        if (tensor.requires_grad()) {
            tensor = tensor.detach().clone();
            pairs_.emplace_back(tensor, weights.at(name));
        }
}

void Average::update(int64_t step, const model::Lanes& lanes)
{
    const double decay = std::min(decay_, static_cast<double>(1 + step) / static_cast<double>(10 + step));
    lanes.each(pairs_.size(), [&](size_t i) {
        const at::NoGradGuard guard;
        pairs_[i].first.lerp_(pairs_[i].second, 1 - decay);
    });
}

model::Parameters Average::state() const { return active() ? average_ : model::Parameters(); }

void Average::restore(const model::Parameters& state)
{
    if (!active())
        return;
    const at::NoGradGuard guard;
    for (auto& [name, tensor] : average_) {
        const auto found = state.find(name);
        if (found == state.end())
            throw Error(ErrorKind::Malformed, "averaged weights", "lack " + name);
        tensor.copy_(found->second);
    }
}

}  // namespace imprint::training
