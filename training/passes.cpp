// SPDX-License-Identifier: Apache-2.0
#include "training/passes.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "core/base/error.h"

namespace imprint::training {

void PassList::add(const Part& members, int64_t tokens, int64_t most_tokens, size_t items,
                   const std::function<std::function<PassOutput(const model::Network&)>(const Part&)>& forward)
{
    const auto count = static_cast<int64_t>(members.size());
    const int64_t parts = std::clamp<int64_t>((count * tokens + most_tokens - 1) / most_tokens, 1, count);
    for (int64_t i = 0; i < parts; ++i) {
        const Part part(members.begin() + count * i / parts, members.begin() + count * (i + 1) / parts);
        const auto size = static_cast<int64_t>(part.size());
        passes_.push_back({size * tokens, double(size) / double(items), forward(part)});
        places_.insert(places_.end(), part.begin(), part.end());
    }
}

at::Tensor PassList::order() const
{
    std::vector<int64_t> order(places_.size());
    for (size_t row = 0; row < places_.size(); ++row)
        order[static_cast<size_t>(places_[row])] = static_cast<int64_t>(row);
    return at::tensor(order, at::kLong);
}

at::Tensor PassList::run(const model::Network& network) const
{
    std::vector<at::Tensor> rows;
    for (const Pass& pass : passes_)
        rows.push_back(pass.forward(network).rows);
    return at::cat(rows).index({order()});
}

Passes::Replicas::Replicas(const model::ModelConfig& config, const model::Parameters& parameters, model::Precision precision,
                           const model::Lanes& lanes)
    : lanes_(lanes)
{
    for (int lane = 0; lane < lanes.count(); ++lane) {
        model::Parameters own;
        size_t place = 0;
        for (const auto& [name, parameter] : parameters) {
            if (!parameter.requires_grad()) {
                own[name] = parameter;
                continue;
            }
            own[name] = parameter.detach().requires_grad_(true);  // the same memory: an update in place is seen by every lane
            if (lane == 0)
                leaves_.emplace_back(parameter, std::vector<at::Tensor>{});
            leaves_[place++].second.push_back(own[name]);
        }
        networks_.emplace_back(config, std::move(own)).set_precision(precision);
    }
}

size_t Passes::add(PassList list)
{
    lists_.push_back(std::move(list));
    return lists_.size() - 1;
}

// The longest pass first, each to the lane with the least to do: a function of the passes alone.
void Passes::spread()
{
    for (size_t list = 0; list < lists_.size(); ++list)
        for (size_t pass = 0; pass < lists_[list].passes().size(); ++pass)
            work_.push_back({list, pass, 0, {}});
    std::vector<size_t> longest(work_.size());
    std::iota(longest.begin(), longest.end(), 0);
    const auto tokens = [&](size_t i) { return lists_[work_[i].list].passes()[work_[i].pass].tokens; };
    std::stable_sort(longest.begin(), longest.end(), [&](size_t a, size_t b) { return tokens(a) > tokens(b); });
    std::vector<int64_t> load(replicas_.networks_.size(), 0);
    for (const size_t i : longest) {
        work_[i].lane = static_cast<size_t>(std::min_element(load.begin(), load.end()) - load.begin());
        load[work_[i].lane] += tokens(i);
    }
}

void Passes::forward()
{
    IMPRINT_ASSERT(work_.empty());
    spread();
    replicas_.lanes_.each(replicas_.networks_.size(), [&](size_t lane) {
        const model::Network network = replicas_.networks_[lane].with_converted_matrices();
        for (Place& place : work_)
            if (place.lane == lane)
                place.output = lists_[place.list].passes()[place.pass].forward(network);
    });
    std::vector<std::vector<at::Tensor>> rows(lists_.size());
    for (const Place& place : work_) {
        rows[place.list].push_back(place.output.rows.detach());
        if (place.output.z_loss.defined())
            z_loss_ += lists_[place.list].passes()[place.pass].share * place.output.z_loss.item<double>();
    }
    for (size_t list = 0; list < lists_.size(); ++list)
        leaves_.push_back(at::cat(rows[list]).index({lists_[list].order()}).requires_grad_(true));
}

int64_t Passes::tokens() const
{
    int64_t sum = 0;
    for (const PassList& list : lists_)
        for (const Pass& pass : list.passes())
            sum += pass.tokens;
    return sum;
}

void Passes::backward(const at::Tensor& loss, double z_weight)
{
    loss.backward();
    std::vector<at::Tensor> gradients;  // of each place's rows
    std::vector<at::Tensor> whole;
    for (size_t list = 0; list < lists_.size(); ++list) {
        const at::Tensor& gradient = leaves_[list].grad();
        whole.push_back(gradient.defined() ? at::empty_like(gradient).index_put_({lists_[list].order()}, gradient)
                                           : at::Tensor());
    }
    std::vector<int64_t> next(lists_.size(), 0);
    for (const Place& place : work_) {
        const int64_t rows = place.output.rows.size(0);
        gradients.push_back(whole[place.list].defined() ? whole[place.list].narrow(0, next[place.list], rows) : at::Tensor());
        next[place.list] += rows;
    }
    replicas_.lanes_.each(replicas_.networks_.size(), [&](size_t lane) {
        for (size_t i = 0; i < work_.size(); ++i) {
            Place& place = work_[i];
            if (place.lane != lane)
                continue;
            at::Tensor from;
            if (gradients[i].defined())
                from = (place.output.rows * gradients[i]).sum();
            if (place.output.z_loss.defined() && z_weight != 0) {
                const at::Tensor z = place.output.z_loss * (z_weight * lists_[place.list].passes()[place.pass].share);
                from = from.defined() ? from + z : z;
            }
            if (from.defined())
                from.backward();
            place.output = {};
        }
    });
    replicas_.lanes_.each(replicas_.leaves_.size(), [&](size_t i) {
        auto& [parameter, lanes] = replicas_.leaves_[i];
        at::Tensor sum = parameter.grad();
        for (at::Tensor& leaf : lanes) {
            if (!leaf.grad().defined())
                continue;
            sum = sum.defined() ? sum.add_(leaf.grad()) : leaf.grad();
            leaf.mutable_grad() = at::Tensor();
        }
        parameter.mutable_grad() = sum;
    });
}

}  // namespace imprint::training
