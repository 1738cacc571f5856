// SPDX-License-Identifier: Apache-2.0
// Nesterov's method in its form for strongly convex functions: the step and the momentum follow from the curvature, so there is
// nothing to tune. On the scaled and centred vectors (and the column of ones, which stands apart from them) the softmax bends by
// at most 1/2, the penalty by itself.
#include "training/finetune/class_probe.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr int kMostSteps = 2000;
constexpr double kFlat = 1e-6;          // a gradient below this is none: probabilities no longer move in their sixth digit
constexpr double kNeverAnswered = -30;  // bias of a class without examples

/// Examples as fp64 tensors on the scale that the penalty is meant for.
struct Scaled {
    at::Tensor x;        // [examples, dim + 1], the last column ones
    at::Tensor targets;  // [examples, outputs]
    at::Tensor weights;  // [examples, 1], their sum 1
    at::Tensor mean;     // [1, dim]
    double scale = 1;    // the vectors' greatest deviation
    at::Tensor present;  // [outputs] 0 for a class with examples, kNeverAnswered for one without
};

Scaled scaled(const ProbeExamples& examples)
{
    const int64_t count = examples.vectors.count(), dim = examples.vectors.dim, outputs = examples.classes + 1;
    IMPRINT_ASSERT(count == static_cast<int64_t>(examples.labels.size()));
    std::vector<int64_t> labels;
    std::vector<double> of_label(static_cast<size_t>(outputs), 0);
    for (const LabelledGroup& one : examples.labels) {
        IMPRINT_ASSERT(one.label >= 0 && one.label < outputs);
        labels.push_back(one.label);
        of_label[static_cast<size_t>(one.label)] += 1;
    }
    const auto with = std::count_if(of_label.begin(), of_label.end(), [](double c) { return c > 0; });
    std::vector<double> weights, present;
    for (const int64_t label : labels)
        weights.push_back(1 / (of_label[static_cast<size_t>(label)] * static_cast<double>(with)));
    for (const double of : of_label)
        present.push_back(of > 0 ? 0 : kNeverAnswered);

    Scaled result;
    const at::Tensor all =
        at::from_blob(const_cast<float*>(examples.vectors.values.data()), {count, dim}, at::kFloat).to(at::kDouble);
    result.weights = at::tensor(weights, at::kDouble).unsqueeze(1);
    result.mean = (all * result.weights).sum(0, true);
    const at::Tensor centred = all - result.mean;
    const at::Tensor spread = centred * result.weights.sqrt();
    const at::Tensor square = count < dim ? at::matmul(spread, spread.t()) : at::matmul(spread.t(), spread);
    result.scale = std::sqrt(std::max(at::linalg_eigvalsh(square).max().item<double>(), 1e-12));
    result.x = at::cat({centred / result.scale, at::ones({count, 1}, at::kDouble)}, 1);
    result.targets = at::one_hot(at::tensor(labels), outputs).to(at::kDouble);
    result.present = at::tensor(present, at::kDouble);
    return result;
}

at::Tensor log_probabilities(const Scaled& data, const at::Tensor& layer)
{
    return at::log_softmax(at::matmul(data.x, layer.t()) + data.present, 1);
}

/// [outputs, dim + 1], on the scale of `data`; goes on from `layer`.
at::Tensor descend(const Scaled& data, double penalty, at::Tensor layer, const CancelToken& cancel)
{
    const double steepest = 0.5 + penalty;
    const double momentum = (std::sqrt(steepest) - std::sqrt(penalty)) / (std::sqrt(steepest) + std::sqrt(penalty));
    at::Tensor penalised = at::full_like(layer, penalty);
    penalised.select(1, layer.size(1) - 1).zero_();
    at::Tensor ahead = layer;
    for (int step = 0; step < kMostSteps; ++step) {
        if (step % 64 == 0)
            cancel.check();
        const at::Tensor error = (log_probabilities(data, ahead).exp() - data.targets) * data.weights;
        const at::Tensor gradient = at::matmul(error.t(), data.x) + penalised * ahead;
        const at::Tensor next = ahead - gradient / steepest;
        ahead = next + (next - layer) * momentum;
        layer = next;
        if (gradient.abs().max().item<double>() < kFlat)
            break;
    }
    return layer;
}

at::Tensor zeros(const Scaled& data) { return at::zeros({data.targets.size(1), data.x.size(1)}, at::kDouble); }

ClassProbe unscaled(const Scaled& data, const at::Tensor& layer)
{
    const int64_t dim = data.mean.size(1);
    const at::Tensor weights = layer.narrow(1, 0, dim) / data.scale;
    const at::Tensor bias = layer.select(1, dim) - at::matmul(weights, data.mean.t()).squeeze(1) + data.present;
    const auto floats = [](const at::Tensor& tensor) {
        const at::Tensor flat = tensor.to(at::kFloat).contiguous();
        return std::vector<float>(flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
    };
    return {{static_cast<int>(dim), floats(weights)}, floats(bias)};
}

ProbeExamples chosen(const ProbeExamples& all, const std::vector<int>& parts, int part, bool inside)
{
    ProbeExamples some{all.classes, {all.vectors.dim, {}}, {}};
    for (size_t i = 0; i < parts.size(); ++i)
        if ((parts[i] == part) == inside) {
            some.vectors.append(all.vectors.row(static_cast<int>(i)));
            some.labels.push_back(all.labels[i]);
        }
    return some;
}

/// Groups of the class that has fewest, among those that have any.
int fewest_groups(const ProbeExamples& examples)
{
    std::map<int, std::vector<int>> groups;
    for (const LabelledGroup& one : examples.labels)
        groups[one.label].push_back(one.group);
    size_t fewest = std::numeric_limits<int>::max();
    for (auto& [label, list] : groups) {
        std::sort(list.begin(), list.end());
        fewest = std::min<size_t>(fewest, std::unique(list.begin(), list.end()) - list.begin());
    }
    return static_cast<int>(fewest);
}

void refuse_one_class(const ProbeExamples& examples)
{
    std::set<int> present;
    for (const LabelledGroup& one : examples.labels)
        present.insert(one.label);
    if (present.size() < 2)
        throw Error(ErrorKind::Usage, "examples", "are all of one class", "Give examples of at least two things");
}

}  // namespace

std::vector<double> ClassProbe::probabilities(std::span<const float> vector) const
{
    std::vector<double> result;
    for (int row = 0; row < weights.count(); ++row) {
        double sum = bias[static_cast<size_t>(row)];
        const auto weight = weights.row(row);
        for (size_t i = 0; i < weight.size(); ++i)
            sum += static_cast<double>(weight[i]) * vector[i];
        result.push_back(sum);
    }
    const double highest = *std::max_element(result.begin(), result.end());
    double total = 0;
    for (double& value : result)
        total += value = std::exp(value - highest);
    for (double& value : result)
        value /= total;
    return result;
}

ClassProbe fit_probe_with(const ProbeExamples& examples, double penalty, const CancelToken& cancel)
{
    const at::NoGradGuard guard;
    refuse_one_class(examples);
    const Scaled data = scaled(examples);
    return unscaled(data, descend(data, penalty, zeros(data), cancel));
}

FittedProbe fit_probe(const ProbeExamples& examples, uint64_t seed, const CancelToken& cancel)
{
    const at::NoGradGuard guard;
    refuse_one_class(examples);
    const int folds = std::min(kFolds, fewest_groups(examples));
    FittedProbe best{{}, kPenalties[2], 0};
    if (folds >= 2) {
        const std::vector<int> parts = stratified_parts(examples.labels, folds, seed);
        std::vector<double> losses(std::size(kPenalties), 0);
        for (int fold = 0; fold < folds; ++fold) {
            const Scaled inner = scaled(chosen(examples, parts, fold, false)),
                         outer = scaled(chosen(examples, parts, fold, true));
            // What is left out is seen on the scale of what was learned from.
            const int64_t dim = inner.mean.size(1);
            Scaled seen = outer;
            seen.x = outer.x.clone();
            seen.x.narrow(1, 0, dim).mul_(outer.scale).add_(outer.mean).sub_(inner.mean).div_(inner.scale);
            seen.present = inner.present;
            at::Tensor layer = zeros(inner);
            for (size_t i = 0; i < losses.size(); ++i) {
                layer = descend(inner, kPenalties[i], layer, cancel);
                losses[i] -= (log_probabilities(seen, layer) * seen.targets * seen.weights).sum().item<double>() / folds;
            }
        }
        const auto least = std::min_element(losses.begin(), losses.end());
        best.penalty = kPenalties[least - losses.begin()];
        best.loss = *least;
    }
    best.probe = fit_probe_with(examples, best.penalty, cancel);
    return best;
}

}  // namespace imprint::training
