// SPDX-License-Identifier: Apache-2.0
// The optimiser on plain ATen operators.
#include "training/adamw.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace imprint::training {

AdamW::AdamW(const model::ModelConfig& config, const model::Parameters& parameters)
{
    for (const auto& spec : model::parameter_specs(config)) {
        if (spec.frozen)
            continue;
        const at::Tensor& parameter = parameters.at(spec.name);
        slots_.push_back(
            {spec.name, parameter, at::zeros_like(parameter.detach()), at::zeros_like(parameter.detach()), 0, spec.decays});
    }
}

double AdamW::step(const Recipe& recipe, double rate, const model::Lanes& lanes)
{
    std::vector<double> squares(slots_.size(), 0);
    lanes.each(slots_.size(), [&](size_t i) {
        const at::NoGradGuard guard;
        if (slots_[i].parameter.grad().defined())
            squares[i] = std::pow(slots_[i].parameter.grad().norm().item<double>(), 2);
    });
    const double norm = std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
    if (!std::isfinite(norm))
        return norm;
    const double scale = recipe.clip > 0 && norm > recipe.clip ? recipe.clip / norm : 1.0;
    lanes.each(slots_.size(), [&](size_t i) {
        const at::NoGradGuard guard;
        if (slots_[i].parameter.grad().defined())
            update(slots_[i], recipe, rate, scale);
    });
    return norm;
}

void AdamW::update(Slot& slot, const Recipe& recipe, double rate, double scale)
{
    at::Tensor gradient = slot.parameter.grad();
    if (scale != 1.0)
        gradient = gradient * scale;
    ++slot.updates;
    slot.m.lerp_(gradient, 1 - recipe.beta1);
    slot.v.mul_(recipe.beta2).addcmul_(gradient, gradient, 1 - recipe.beta2);
    const double correct_m = 1 - std::pow(recipe.beta1, static_cast<double>(slot.updates));
    const double correct_v = 1 - std::pow(recipe.beta2, static_cast<double>(slot.updates));
    if (slot.decays)
        slot.parameter.mul_(1 - rate * recipe.decay);
    const at::Tensor root = slot.v.sqrt().div_(std::sqrt(correct_v)).add_(recipe.epsilon);
    slot.parameter.addcdiv_(slot.m, root, -rate / correct_m);
    slot.parameter.mutable_grad().reset();
}

model::Parameters AdamW::state() const
{
    model::Parameters state;
    for (const Slot& slot : slots_) {
        state["m." + slot.name] = slot.m;
        state["v." + slot.name] = slot.v;
        state["n." + slot.name] = at::full({1}, static_cast<double>(slot.updates), at::kDouble);
    }
    return state;
}

void AdamW::restore(const model::Parameters& state)
{
    for (Slot& slot : slots_) {
        const auto get = [&](const char* part) -> const at::Tensor& {
            const auto found = state.find(part + slot.name);
            if (found == state.end())
                throw Error(ErrorKind::Malformed, "optimizer state", "lacks " + std::string(part) + slot.name);
            return found->second;
        };
        slot.m.copy_(get("m."));
        slot.v.copy_(get("v."));
        slot.updates = static_cast<int64_t>(std::llround(get("n.").item<double>()));
    }
}

}  // namespace imprint::training
