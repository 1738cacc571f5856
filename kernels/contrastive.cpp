// SPDX-License-Identifier: Apache-2.0
// The loss as an autograd function that walks over chunks of rows, forwards and backwards.
#include "kernels/contrastive.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "kernels/contrastive_chunk.h"

namespace imprint::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Walks over the score matrix in chunks of whole samples.
struct Walk {
    at::Tensor a, b, temperature;  ///< a [samples · n₁, dim], b [samples · n₂, dim]
    int64_t samples, chunk_rows;
    double margin;
    at::Tensor targets, teacher;
    double sharpness;
    at::Tensor target_sums = {};

    int64_t row_instances() const { return a.size(0) / samples; }
    int64_t column_instances() const { return b.size(0) / samples; }
    bool soft() const { return targets.defined() || teacher.defined(); }

    at::Tensor target_rows(int64_t first, int64_t count) const
    {
        if (targets.defined())
            return targets.narrow(0, first, count);
        return at::softmax(at::mm(teacher.narrow(0, first, count), teacher.t()).mul_(sharpness), -1);
    }

    template <class Body>
    void for_samples(const Body& body) const
    {
        const int64_t step = std::max<int64_t>(1, chunk_rows / row_instances());
        for (int64_t first = 0; first < samples; first += step)
            body(first, std::min(step, samples - first));
    }

    void sum_targets()
    {
        target_sums = at::zeros({samples}, a.options());
        for_samples([&](int64_t first, int64_t count) { target_sums += target_rows(first, count).sum(0); });
    }

    /// Calls body(chunk, first sample, samples) with the scores of each chunk.
    template <class Body>
    void for_chunks(const Body& body) const
    {
        const int64_t n1 = row_instances();
        for_samples([&](int64_t first, int64_t count) {
            const auto maybe = [&](const at::Tensor& tensor) {
                return soft() ? std::optional<at::Tensor>(tensor) : std::nullopt;
            };
            ScoreChunk chunk{at::mm(a.narrow(0, first * n1, count * n1), b.t()).div_(temperature),
                             maybe(soft() ? target_rows(first, count) : at::Tensor()),
                             maybe(target_sums),
                             first * n1,
                             n1,
                             column_instances(),
                             margin};
            body(chunk, first, count);
        });
    }
};

/// logsumexp over the last axis; libtorch's own does not run on device meta.
at::Tensor log_sum(const at::Tensor& x)
{
    const at::Tensor high = at::amax(x, at::IntArrayRef{-1}, true);
    return (x - high).exp_().sum(-1).log_() + high.squeeze(-1);
}

struct ContrastiveLoss : torch::autograd::Function<ContrastiveLoss> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature,
                              const MaybeTensor& targets, const MaybeTensor& teacher, double sharpness, double margin,
                              int64_t chunk_rows)
    {
        const at::AutoDispatchBelowADInplaceOrView below;
        Walk walk{a.reshape({-1, a.size(-1)}),    b.reshape({-1, b.size(-1)}),    temperature, a.size(0), chunk_rows, margin,
                  targets.value_or(at::Tensor()), teacher.value_or(at::Tensor()), sharpness};
        if (walk.soft())
            walk.sum_targets();
        at::Tensor columns = at::full({walk.b.size(0)}, -INFINITY, a.options());
        const at::Tensor rows = at::empty({walk.samples}, a.options()), positives = at::empty({walk.samples}, a.options());
        walk.for_chunks([&](const ScoreChunk& chunk, int64_t first, int64_t count) {
            const auto [row_sums, own] = score_sums(chunk, columns);
            rows.narrow(0, first, count).copy_(row_sums);
            positives.narrow(0, first, count).copy_(own);
        });
        const at::Tensor column_sums = log_sum(columns.view({walk.samples, -1}));
        context->save_for_backward(
            {a, b, temperature, walk.targets, walk.teacher, walk.target_sums, rows, column_sums, positives});
        context->saved_data["sharpness"] = sharpness;
        context->saved_data["margin"] = margin;
        context->saved_data["chunk_rows"] = chunk_rows;
        return (rows + column_sums).mean() / 2 - positives.mean();
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients)
    {
        const c10::NoGradGuard no_grad;
        const variable_list saved = context->get_saved_variables();
        const at::Tensor &a = saved[0], &b = saved[1], &temperature = saved[2];
        const Walk walk{a.reshape({-1, a.size(-1)}),
                        b.reshape({-1, b.size(-1)}),
                        temperature,
                        a.size(0),
                        context->saved_data["chunk_rows"].toInt(),
                        context->saved_data["margin"].toDouble(),
                        saved[3],
                        saved[4],
                        context->saved_data["sharpness"].toDouble(),
                        saved[5]};
        const at::Tensor &rows = saved[6], &columns = saved[7], &positives = saved[8];
        const int64_t n1 = walk.row_instances();
        const at::Tensor grad_a = at::empty_like(walk.a);
        at::Tensor grad_b = at::zeros_like(walk.b);
        walk.for_chunks([&](ScoreChunk& chunk, int64_t first, int64_t count) {
            score_gradients(chunk, rows.narrow(0, first, count), columns, positives.narrow(0, first, count),
                            0.5 / static_cast<double>(walk.samples));
            at::Tensor part = grad_a.narrow(0, first * n1, count * n1);
            at::mm_out(part, chunk.scores, walk.b);
            grad_b.addmm_(chunk.scores.t(), walk.a.narrow(0, first * n1, count * n1));
        });
        const at::Tensor scale = gradients[0] / temperature;
        grad_a.mul_(scale);
        grad_b.mul_(scale);
        // Σ G·s = Σ a·(∂/∂a): the temperature's gradient needs no pass of its own.
        const at::Tensor grad_temperature = -(walk.a * grad_a).sum() / temperature;
        return {grad_a.view_as(a), grad_b.view_as(b), grad_temperature.view_as(temperature),
                at::Tensor(),      at::Tensor(),      at::Tensor(),
                at::Tensor(),      at::Tensor()};
    }
};

}  // namespace

at::Tensor contrastive_loss(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature,
                            const ContrastiveOptions& options)
{
    TORCH_CHECK((a.dim() == 2 || a.dim() == 3) && a.dim() == b.dim() && a.size(0) == b.size(0) && a.size(-1) == b.size(-1)
                    && a.size(0) >= 1,
                "contrastive_loss: wanted a and b [batch, dim] or [batch, instances, dim], got ", a.sizes(), " and ", b.sizes());
    TORCH_CHECK(b.scalar_type() == a.scalar_type() && temperature.numel() == 1 && temperature.scalar_type() == a.scalar_type(),
                "contrastive_loss: a is ", a.scalar_type(), ", b ", b.scalar_type(), ", the temperature ",
                temperature.scalar_type(), " ", temperature.sizes());
    TORCH_CHECK(options.chunk_rows >= 1, "contrastive_loss: a chunk has at least one row");
    const bool soft = options.targets.defined() || options.teacher.defined();
    TORCH_CHECK(!(options.targets.defined() && options.teacher.defined()), "contrastive_loss: targets or a teacher, not both");
    TORCH_CHECK(!soft || (a.dim() == 2 && options.margin == 0),
                "contrastive_loss: soft targets are for one instance a sample and no margin");
    TORCH_CHECK(!options.targets.defined() || options.targets.sizes() == at::IntArrayRef({a.size(0), a.size(0)}),
                "contrastive_loss: wanted targets [", a.size(0), ", ", a.size(0), "]");
    TORCH_CHECK(!options.teacher.defined() || (options.teacher.dim() == 2 && options.teacher.size(0) == a.size(0)),
                "contrastive_loss: wanted a teacher [", a.size(0), ", dim]");
    const auto maybe = [](const at::Tensor& tensor) { return tensor.defined() ? MaybeTensor(tensor) : std::nullopt; };
    return ContrastiveLoss::apply(a, b, temperature, maybe(options.targets), maybe(options.teacher), options.sharpness,
                                  options.margin, options.chunk_rows);
}

}  // namespace imprint::kernels
