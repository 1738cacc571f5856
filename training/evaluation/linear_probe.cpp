// SPDX-License-Identifier: Apache-2.0
// The gradient of softmax regression is short enough to write down: (softmax(logits) − target) · features.
#include "training/evaluation/linear_probe.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/base/error.h"
#include "training/data/sample_reader.h"

namespace imprint::evaluation {
namespace {

at::Tensor table(const FeatureTable& features)
{
    return at::from_blob(const_cast<float*>(features.values.data()), {features.samples(), features.dim}, at::kFloat);
}

class Adam {
public:
    explicit Adam(const at::Tensor& parameter) : first_(at::zeros_like(parameter)), second_(at::zeros_like(parameter)) { }
    void step(at::Tensor& parameter, const at::Tensor& gradient, double rate, int64_t step)
    {
        first_.mul_(0.9).add_(gradient, 0.1);
        second_.mul_(0.999).addcmul_(gradient, gradient, 0.001);
        const double first = 1 - std::pow(0.9, step), second = 1 - std::pow(0.999, step);
        parameter.addcdiv_(first_ / first, (second_ / second).sqrt_().add_(1e-8), -rate);
    }

private:
    at::Tensor first_, second_;
};

std::vector<float> to_vector(const at::Tensor& tensor)
{
    const at::Tensor flat = tensor.contiguous();
    return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace

LinearProbe::LinearProbe(const FeatureTable& features, std::span<const int> labels, int classes, const ProbeOptions& options)
    : dim_(features.dim), classes_(classes)
{
    const at::NoGradGuard guard;
    const int64_t samples = features.samples();
    if (samples == 0)
        throw Error(ErrorKind::Usage, "linear probe", "there are no samples to learn from", "Name a training split");
    IMPRINT_ASSERT(static_cast<int64_t>(labels.size()) == samples && classes > 0 && options.batch > 0);
    const at::Tensor all = table(features);
    if (!at::isfinite(all).all().item<bool>())
        throw Error(ErrorKind::Usage, "linear probe", "the features are not all finite",
                    "Find the checkpoint or file that made them");
    std::vector<int64_t> wide(labels.begin(), labels.end());
    for (const int64_t label : wide)
        IMPRINT_ASSERT(label >= 0 && label < classes);
    const at::Tensor targets = at::one_hot(at::tensor(wide), classes).to(at::kFloat);

    at::Tensor weights = at::zeros({classes, dim_}), bias = at::zeros({classes});
    Adam of_weights(weights), of_bias(bias);
    int64_t step = 0;
    for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
        options.cancel.check();
        final_loss_ = 0;
        std::vector<int64_t> order;
        for (int64_t i = 0; i < samples; ++i)
            order.push_back(training::shuffled(epoch * samples + i, samples, options.seed));
        const at::Tensor permutation = at::tensor(order);
        for (int64_t begin = 0; begin < samples; begin += options.batch) {
            const at::Tensor chosen = permutation.narrow(0, begin, std::min<int64_t>(options.batch, samples - begin));
            const at::Tensor x = all.index_select(0, chosen), target = targets.index_select(0, chosen);
            const at::Tensor log_probabilities = at::log_softmax(at::addmm(bias, x, weights.t()), 1);
            final_loss_ -= (log_probabilities * target).sum().item<double>();
            const at::Tensor error = (log_probabilities.exp() - target) / static_cast<double>(chosen.numel());
            ++step;
            of_weights.step(weights, at::matmul(error.t(), x), options.rate, step);
            of_bias.step(bias, error.sum(0), options.rate, step);
        }
        final_loss_ /= static_cast<double>(samples);
    }
    weights_ = to_vector(weights);
    bias_ = to_vector(bias);
}

Scores LinearProbe::operator()(const FeatureTable& features, int clips) const
{
    IMPRINT_ASSERT(features.dim == dim_ && clips > 0 && features.samples() % clips == 0);
    const at::NoGradGuard guard;
    const at::Tensor weights = at::from_blob(const_cast<float*>(weights_.data()), {classes_, dim_}, at::kFloat);
    const at::Tensor bias = at::from_blob(const_cast<float*>(bias_.data()), {classes_}, at::kFloat);
    const at::Tensor logits = at::addmm(bias, table(features), weights.t()).view({-1, clips, classes_}).mean(1);
    Scores scores(static_cast<int>(logits.size(0)), classes_);
    scores.values = to_vector(logits);
    return scores;
}

}  // namespace imprint::evaluation
