// SPDX-License-Identifier: Apache-2.0
#include "training/passes.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <optional>

#include "core/base/error.h"

namespace imprint::training {
namespace {

/// Adds the time of its life to a number.
class Stopwatch {
public:
    explicit Stopwatch(double& seconds) : seconds_(seconds) { }
    ~Stopwatch() { seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count(); }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

private:
    double& seconds_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace

void PassList::add(const Part& members, int64_t tokens, int64_t most_tokens, size_t items,
                   const std::function<std::function<PassOutput(const model::Network&)>(const Part&)>& forward)
{
    const auto count = static_cast<int64_t>(members.size());
    tokens_ += count * tokens;
    const int64_t needed = std::clamp<int64_t>((count * tokens + most_tokens - 1) / most_tokens, 1, count);
    const int64_t each = (needed + share_.world - 1) / share_.world;
    for (int64_t i = 0; i < each * share_.world; ++i) {
        const Part part(members.begin() + count * i / (each * share_.world),
                        members.begin() + count * (i + 1) / (each * share_.world));
        const int64_t rank = i / each;
        auto& places = places_[static_cast<size_t>(rank)];
        places.insert(places.end(), part.begin(), part.end());
        if (rank != share_.rank || part.empty())
            continue;
        const auto size = static_cast<int64_t>(part.size());
        passes_.push_back({size * tokens, size, double(size) / double(items), forward(part)});
    }
}

at::Tensor PassList::order() const
{
    const auto rows = rows_by_rank();
    std::vector<int64_t> order(static_cast<size_t>(std::accumulate(rows.begin(), rows.end(), int64_t{0})));
    int64_t row = 0;
    for (const auto& places : places_)
        for (const int64_t place : places)
            order[static_cast<size_t>(place)] = row++;
    return at::tensor(order, at::kLong);
}

std::vector<int64_t> PassList::rows_by_rank() const
{
    std::vector<int64_t> rows;
    for (const auto& places : places_)
        rows.push_back(static_cast<int64_t>(places.size()));
    return rows;
}

at::Tensor PassList::run(const model::Network& network) const
{
    IMPRINT_ASSERT(share_.world == 1);
    std::vector<at::Tensor> rows;
    for (const Pass& pass : passes_)
        rows.push_back(pass.forward(network).rows);
    return at::cat(rows).index({order()});
}

/// Counts, for every parameter, the lanes whose gradient of it is not yet final. The last lane adds them up.
class Passes::Replicas::Finish {
public:
    explicit Finish(std::vector<Leaves>& leaves)
        : leaves_(leaves), lanes_(leaves.empty() ? 0 : leaves.front().lanes.size()), left_(leaves.size())
    {
        for (size_t place = 0; place < leaves_.size(); ++place)
            for (size_t lane = 0; lane < lanes_.size(); ++lane)
                torch::autograd::impl::set_post_acc_grad_hooks(leaves_[place].lanes[lane],
                                                               std::make_unique<Hook>(*this, lane, place));
    }

    void begin(GradientSum* sum)
    {
        sum_ = sum;
        for (auto& left : left_)
            left = static_cast<int>(lanes_.size());
        for (Lane& lane : lanes_) {
            lane.in_last_pass = false;
            lane.done.assign(leaves_.size(), false);
        }
    }
    /// From here on every gradient that the lane's autograd hands over is final.
    void last_pass(size_t lane) { lanes_[lane].in_last_pass = true; }
    /// The lane has no pass left: what its last one did not touch is final too.
    void end(size_t lane)
    {
        lanes_[lane].in_last_pass = false;
        for (size_t place = 0; place < leaves_.size(); ++place)
            if (!lanes_[lane].done[place])
                done(lane, place);
    }

private:
    class Hook : public torch::autograd::PostAccumulateGradHook {
    public:
        Hook(Finish& finish, size_t lane, size_t place) : finish_(finish), lane_(lane), place_(place) { }
        void operator()(const at::Tensor&) override
        {
            if (finish_.lanes_[lane_].in_last_pass)
                finish_.done(lane_, place_);
        }

    private:
        Finish& finish_;
        size_t lane_, place_;
    };
    struct Lane {
        bool in_last_pass = false;
        std::vector<char> done;
    };

    void done(size_t lane, size_t place)
    {
        lanes_[lane].done[place] = true;
        if (left_[place].fetch_sub(1) > 1)
            return;
        const at::NoGradGuard guard;
        auto& [parameter, leaves] = leaves_[place];
        at::Tensor sum = parameter.grad();
        for (at::Tensor& leaf : leaves) {
            if (!leaf.grad().defined())
                continue;
            sum = sum.defined() ? sum.add_(leaf.grad()) : leaf.grad();
            leaf.mutable_grad() = at::Tensor();
        }
        parameter.mutable_grad() = sum;
        if (sum_)
            sum_->ready(place);
    }

    std::vector<Leaves>& leaves_;
    std::vector<Lane> lanes_;
    std::vector<std::atomic<int>> left_;
    GradientSum* sum_ = nullptr;
};

Passes::Replicas::Replicas(const model::ModelConfig& config, const model::Parameters& parameters, const Options& options,
                           const model::Lanes& lanes)
    : lanes_(lanes), options_(options)
{
    // Backward passes are done with the last layers first.
    auto specs = model::parameter_specs(config);
    std::reverse(specs.begin(), specs.end());
    std::vector<model::Parameters> own(static_cast<size_t>(lanes.count()), parameters);
    for (const auto& spec : specs) {
        const auto found = parameters.find(spec.name);
        if (found == parameters.end() || !found->second.requires_grad())
            continue;
        Leaves& leaves = leaves_.emplace_back(Leaves{found->second, {}});
        for (auto& lane : own) {
            lane[spec.name] =
                found->second.detach().requires_grad_(true);  // the same memory: an update in place is seen by every lane
            leaves.lanes.push_back(lane[spec.name]);
        }
    }
    for (auto& lane : own) {
        model::Network& network = networks_.emplace_back(config, std::move(lane));
        network.set_precision(options.precision);
        network.set_recomputing(options.recompute_blocks);
    }
    finish_ = std::make_unique<Finish>(leaves_);
}

Passes::Replicas::~Replicas() = default;

PassList::Share Passes::Replicas::share() const
{
    return options_.ranks ? PassList::Share{options_.ranks->rank(), options_.ranks->world()} : PassList::Share{};
}

std::vector<at::Tensor> Passes::Replicas::parameters() const
{
    std::vector<at::Tensor> parameters;
    for (const Leaves& leaves : leaves_)
        parameters.push_back(leaves.parameter);
    return parameters;
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
    const Stopwatch watch(seconds_);
    IMPRINT_ASSERT(work_.empty());
    spread();
    replicas_.lanes_.each(replicas_.networks_.size(), [&](size_t lane) {
        std::optional<at::NoGradGuard> without_graph;
        if (replicas_.options_.recompute)
            without_graph.emplace();
        model::Network network = replicas_.networks_[lane].with_converted_matrices();
        network.set_probing(use_ != nullptr);
        for (Place& place : work_) {
            if (place.lane != lane)
                continue;
            const Pass& pass = lists_[place.list].passes()[place.pass];
            place.output = pass.forward(network);
            if (use_)
                use_->add(place.output.probes, static_cast<double>(pass.tokens));
            place.output.probes.clear();
        }
    });
    std::vector<std::vector<at::Tensor>> rows(lists_.size());
    for (Place& place : work_) {
        rows[place.list].push_back(place.output.rows.detach());
        if (place.output.z_loss.defined())
            z_loss_ += lists_[place.list].passes()[place.pass].share * place.output.z_loss.item<double>();
        if (replicas_.options_.recompute)
            place.output = {};
    }
    for (size_t list = 0; list < lists_.size(); ++list)
        leaves_.push_back(gathered(rows[list], lists_[list]).index({lists_[list].order()}).requires_grad_(true));
    if (replicas_.options_.ranks && replicas_.options_.ranks->world() > 1) {
        const at::Tensor z = at::full({1}, z_loss_, leaves_.front().options().dtype(at::kDouble).requires_grad(false));
        replicas_.options_.ranks->begin_sum(z).wait();
        z_loss_ = z.item<double>();
    }
}

at::Tensor Passes::gathered(const std::vector<at::Tensor>& rows, const PassList& list) const
{
    const Ranks* ranks = replicas_.options_.ranks;
    if (!ranks || ranks->world() == 1)
        return at::cat(rows);
    const auto counts = list.rows_by_rank();
    at::Tensor own = rows.empty() ? at::Tensor() : at::cat(rows);
    if (std::find(counts.begin(), counts.end(), 0) != counts.end()) {
        // A rank without items learns from the others how wide the rows are.
        const auto options = replicas_.leaves_.front().parameter.options().requires_grad(false);
        const at::Tensor width = at::full({1}, own.defined() ? own.size(1) : 0, options.dtype(at::kLong));
        const int64_t columns = ranks->gather_rows(width, std::vector<int64_t>(counts.size(), 1)).max().item<int64_t>();
        if (!own.defined())
            own = at::zeros({0, columns}, options);
    }
    return ranks->gather_rows(own, counts);
}

int64_t Passes::tokens() const
{
    int64_t sum = 0;
    for (const PassList& list : lists_)
        sum += list.tokens();
    return sum;
}

// What the loss makes of parameters themselves is the same on every rank, and the ranks' gradients are added up.
void Passes::backward_of_loss(const at::Tensor& loss)
{
    if (share().rank == 0) {
        loss.backward();
        return;
    }
    std::vector<at::Tensor> before;
    for (auto& leaves : replicas_.leaves_) {
        before.push_back(leaves.parameter.grad());
        leaves.parameter.mutable_grad() = at::Tensor();
    }
    loss.backward();
    for (size_t place = 0; place < before.size(); ++place)
        replicas_.leaves_[place].parameter.mutable_grad() = before[place];
}

std::vector<at::Tensor> Passes::gradients_of_rows() const
{
    std::vector<at::Tensor> whole;
    std::vector<int64_t> next;
    for (size_t list = 0; list < lists_.size(); ++list) {
        const at::Tensor& gradient = leaves_[list].grad();
        whole.push_back(gradient.defined() ? at::empty_like(gradient).index_put_({lists_[list].order()}, gradient)
                                           : at::Tensor());
        const auto rows = lists_[list].rows_by_rank();
        next.push_back(std::accumulate(rows.begin(), rows.begin() + share().rank, int64_t{0}));
    }
    std::vector<at::Tensor> gradients;
    for (const Place& place : work_) {
        const int64_t rows = lists_[place.list].passes()[place.pass].rows;
        gradients.push_back(whole[place.list].defined() ? whole[place.list].narrow(0, next[place.list], rows) : at::Tensor());
        next[place.list] += rows;
    }
    return gradients;
}

void Passes::backward(const at::Tensor& loss, double z_weight, GradientSum* sum)
{
    const Stopwatch watch(seconds_);
    backward_of_loss(loss);
    const std::vector<at::Tensor> gradients = gradients_of_rows();
    auto& finish = *replicas_.finish_;
    finish.begin(sum);
    replicas_.lanes_.each(replicas_.networks_.size(), [&](size_t lane) {
        size_t last = work_.size();
        for (size_t i = 0; i < work_.size(); ++i)
            if (work_[i].lane == lane)
                last = i;
        std::optional<model::Network> network;
        if (replicas_.options_.recompute && last < work_.size())
            network = replicas_.networks_[lane].with_converted_matrices();
        for (size_t i = 0; i < work_.size(); ++i) {
            Place& place = work_[i];
            if (place.lane != lane)
                continue;
            const Pass& pass = lists_[place.list].passes()[place.pass];
            if (network)
                place.output = pass.forward(*network);
            at::Tensor from;
            if (gradients[i].defined())
                from = (place.output.rows * gradients[i]).sum();
            if (place.output.z_loss.defined() && z_weight != 0) {
                const at::Tensor z = place.output.z_loss * (z_weight * pass.share);
                from = from.defined() ? from + z : z;
            }
            if (i == last)
                finish.last_pass(lane);
            if (from.defined() && from.requires_grad())  // nothing that made it may be learning
                from.backward();
            place.output = {};
        }
        finish.end(lane);
    });
}

}  // namespace imprint::training
