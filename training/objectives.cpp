// SPDX-License-Identifier: Apache-2.0
// Contrastive and distillation losses on plain ATen operators.
#include "training/objectives.h"

#include <ATen/ATen.h>

namespace imprint::training {
namespace {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets)
{
    return -(targets * at::log_softmax(logits, -1)).sum(-1).mean();
}

// at::logsumexp has no body for device meta outside Python.
at::Tensor log_sum_exp(const at::Tensor& x, at::IntArrayRef axes)
{
    const at::Tensor most = at::amax(x, axes, /*keepdim=*/true).detach();
    return ((x - most).exp().sum(axes, true).log() + most).squeeze(axes);
}

}  // namespace

at::Tensor nce(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature, const at::Tensor& targets)
{
    const at::Tensor logits = at::matmul(a, b.t()) / temperature;
    if (!targets.defined()) {
        const at::Tensor diagonal = at::arange(a.size(0), a.options().dtype(at::kLong));
        return (at::cross_entropy_loss(logits, diagonal) + at::cross_entropy_loss(logits.t(), diagonal)) / 2;
    }
    const at::Tensor columns = targets.t() / targets.t().sum(-1, true);
    return (cross_entropy(logits, targets) + cross_entropy(logits.t(), columns)) / 2;
}

at::Tensor multi_instance_nce(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature, double margin)
{
    const auto unit = [](const at::Tensor& x) { return x / (x.norm(2, {-1}, true) + 1e-6); };
    const int64_t batch = a.size(0), n1 = a.size(1), n2 = b.size(1);
    // [sample of a, instance of a, sample of b, instance of b]
    const at::Tensor scores = at::matmul(unit(a).reshape({batch * n1, a.size(2)}), unit(b).reshape({batch * n2, b.size(2)}).t())
                                  .view({batch, n1, batch, n2});
    const at::Tensor scaled = scores / temperature;
    const at::Tensor own = (scaled - margin).diagonal(0, 0, 2);  // [n1, n2, batch]
    const at::Tensor positive = log_sum_exp(own, {0, 1});
    const at::Tensor loss_a = (log_sum_exp(scaled, {1, 2, 3}) - positive).mean();
    const at::Tensor loss_b = (log_sum_exp(scaled, {0, 1, 3}) - positive).mean();
    return (loss_a + loss_b) / 2;
}

at::Tensor soft_targets(const at::Tensor& teacher, double sharpness)
{
    return at::softmax(at::matmul(teacher, teacher.t()) * sharpness, -1);
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
