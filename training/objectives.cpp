// SPDX-License-Identifier: Apache-2.0
// The contrastive losses are an operator; the others are plain ATen.
#include "training/objectives.h"

#include <ATen/ATen.h>

#include "kernels/contrastive.h"

namespace imprint::training {
namespace {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets)
{
    return -(targets * at::log_softmax(logits, -1)).sum(-1).mean();
}

}  // namespace

at::Tensor nce(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature, const Teacher& teacher)
{
    kernels::ContrastiveOptions options;
    options.teacher = teacher.vectors;
    options.sharpness = teacher.sharpness;
    return kernels::contrastive_loss(a, b, temperature, options);
}

at::Tensor nce(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature, const at::Tensor& targets)
{
    kernels::ContrastiveOptions options;
    options.targets = targets;
    return kernels::contrastive_loss(a, b, temperature, options);
}

at::Tensor multi_instance_nce(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature, double margin)
{
    const auto unit = [](const at::Tensor& x) { return x / (x.norm(2, {-1}, true) + 1e-6); };
    kernels::ContrastiveOptions options;
    options.margin = margin;
    return kernels::contrastive_loss(unit(a), unit(b), temperature, options);
}

at::Tensor cosine_distance(const at::Tensor& a, const at::Tensor& b)
{
    return (1 - (a * b).sum(-1)).mean();
}

at::Tensor softmax_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing)
{
    const at::Tensor shares = labels / labels.sum(-1, true).clamp_min(1e-6);
    return cross_entropy(logits, shares * (1 - smoothing) + smoothing / static_cast<double>(logits.size(-1)));
}

at::Tensor sigmoid_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing)
{
    const at::Tensor wanted = labels * (1 - smoothing) + smoothing / 2;
    // −y·log σ(x) − (1 − y)·log σ(−x), without overflow on either side.
    return (at::softplus(logits) - wanted * logits).mean();
}

at::Tensor masked_cross_entropy(const at::Tensor& logits, const at::Tensor& ids, const at::Tensor& chosen)
{
    const at::Tensor surprise = -at::log_softmax(logits, -1).gather(-1, ids.unsqueeze(-1)).squeeze(-1);
    return (surprise * chosen).sum() / chosen.sum().clamp_min(1);
}

at::Tensor masked_squared_error(const at::Tensor& predictions, const at::Tensor& targets, const at::Tensor& chosen)
{
    const at::Tensor error = (predictions - targets).square().mean(-1);
    return (error * chosen).sum() / chosen.sum().clamp_min(1);
}

}  // namespace imprint::training
