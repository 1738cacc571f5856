// SPDX-License-Identifier: Apache-2.0
#include "training/router_use.h"

#include <ATen/ATen.h>

namespace imprint::training {

void RouterUse::add(const std::vector<model::RouterProbe>& probes, double tokens)
{
    if (probes.empty())
        return;
    std::vector<std::vector<double>> use;
    double left_behind = 0, confidence = 0;
    for (const auto& probe : probes) {
        const at::Tensor weights = probe.expert_weight.to(at::kCPU, at::kDouble).contiguous();
        use.emplace_back(weights.const_data_ptr<double>(), weights.const_data_ptr<double>() + weights.numel());
        left_behind += probe.left_behind.item<double>();
        confidence += probe.confidence.item<double>();
    }
    const std::lock_guard lock(mutex_);
    use_.resize(use.size());
    for (size_t layer = 0; layer < use.size(); ++layer) {
        use_[layer].resize(use[layer].size());
        for (size_t expert = 0; expert < use[layer].size(); ++expert)
            use_[layer][expert] += use[layer][expert] * tokens;
    }
    tokens_ += tokens;
    left_behind_ += left_behind / static_cast<double>(probes.size()) * tokens;
    confidence_ += confidence / static_cast<double>(probes.size()) * tokens;
}

std::vector<std::vector<double>> RouterUse::expert_use() const
{
    const std::lock_guard lock(mutex_);
    std::vector<std::vector<double>> mean = use_;
    for (auto& layer : mean)
        for (double& share : layer)
            share /= tokens_;
    return mean;
}

std::map<std::string, double> RouterUse::figures() const
{
    const std::lock_guard lock(mutex_);
    if (tokens_ == 0)
        return {};
    return {{"left_behind", left_behind_ / tokens_}, {"confidence", confidence_ / tokens_}};
}

}  // namespace imprint::training
