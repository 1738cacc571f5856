// SPDX-License-Identifier: Apache-2.0
// The CPU bodies of a chunk, on libtorch's vectorised exponentials.
#include <ATen/ATen.h>

#include "kernels/contrastive_chunk.h"

namespace imprint::kernels {
namespace {

/// [row instances, column instances, samples of the chunk]: a view of every sample's own pairs.
at::Tensor own_pairs(const ScoreChunk& chunk)
{
    const int64_t n1 = chunk.row_instances, n2 = chunk.column_instances;
    const int64_t samples = chunk.scores.size(0) / n1;
    return chunk.scores.view({samples, n1, chunk.scores.size(1) / n2, n2})
        .narrow(2, chunk.first_row / n1, samples)
        .diagonal(0, 0, 2);
}

}  // namespace

TwoTensors score_sums_cpu(const ScoreChunk& chunk, at::Tensor& column_sums)
{
    column_sums.copy_(at::logaddexp(column_sums, at::logsumexp(chunk.scores, at::IntArrayRef{0})));
    const at::Tensor rows = at::logsumexp(chunk.scores, at::IntArrayRef{1}).view({-1, chunk.row_instances});
    const at::Tensor positives = chunk.targets
        ? ((*chunk.targets * chunk.scores).sum(1) + at::mv(*chunk.targets * chunk.scores, chunk.target_sums->reciprocal())) / 2
        : at::logsumexp(own_pairs(chunk) - chunk.margin, at::IntArrayRef{0, 1});
    return {at::logsumexp(rows, at::IntArrayRef{1}), positives};
}

void score_gradients_cpu(ScoreChunk& chunk, const at::Tensor& row_sums, const at::Tensor& column_sums,
                         const at::Tensor& positives, double factor)
{
    const at::Tensor rows = row_sums.repeat_interleave(chunk.row_instances).unsqueeze(1);
    const at::Tensor columns = column_sums.repeat_interleave(chunk.column_instances);
    const at::Tensor own = chunk.targets ? at::Tensor() : (own_pairs(chunk) - chunk.margin - positives).exp_();
    const at::Tensor by_column = (chunk.scores - columns).exp_();
    chunk.scores.sub_(rows).exp_().add_(by_column);
    if (chunk.targets)
        chunk.scores.sub_(*chunk.targets).sub_(*chunk.targets / *chunk.target_sums);
    else
        own_pairs(chunk).sub_(own, 2);
    chunk.scores.mul_(factor);
}

}  // namespace imprint::kernels
