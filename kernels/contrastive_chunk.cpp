// SPDX-License-Identifier: Apache-2.0
// Schemas, checks and dispatch of a chunk of the contrastive loss.
#include "kernels/contrastive_chunk.h"

#include <torch/library.h>

#include "kernels/operator.h"

namespace imprint::kernels {
namespace {

using In = const at::Tensor&;
using Maybe = const MaybeTensor&;

void check_chunk(const ScoreChunk& c)
{
    const auto type = c.scores.scalar_type();
    TORCH_CHECK(c.scores.dim() == 2 && (type == at::kFloat || (type == at::kDouble && !c.scores.is_cuda())),
                "contrastive: wanted float32 scores [rows, columns] (float64 on the CPU), got ", type, " ", c.scores.sizes());
    TORCH_CHECK(c.row_instances >= 1 && c.column_instances >= 1 && c.scores.size(0) % c.row_instances == 0
                    && c.scores.size(1) % c.column_instances == 0 && c.first_row >= 0 && c.first_row % c.row_instances == 0
                    && (c.first_row + c.scores.size(0)) / c.row_instances <= c.scores.size(1) / c.column_instances,
                "contrastive: rows ", c.first_row, " to ", c.first_row + c.scores.size(0), " of ", c.row_instances,
                " instances do not fit ", c.scores.size(1), " columns of ", c.column_instances);
    TORCH_CHECK(c.targets.has_value() == c.target_sums.has_value(), "contrastive: targets come with the sums of their columns");
    check_together("contrastive", c.scores, {});
    if (!c.targets)
        return;
    TORCH_CHECK(c.row_instances == 1 && c.column_instances == 1 && c.margin == 0,
                "contrastive: soft targets are for one instance a sample and no margin");
    TORCH_CHECK(c.targets->sizes() == c.scores.sizes() && c.targets->scalar_type() == type && c.target_sums->dim() == 1
                    && c.target_sums->size(0) == c.scores.size(1) && c.target_sums->scalar_type() == type,
                "contrastive: targets ", c.targets->scalar_type(), " ", c.targets->sizes(), " do not fit scores ", type, " ",
                c.scores.sizes());
    check_together("contrastive", c.scores, {&*c.targets, &*c.target_sums});
}

void check_sums(const at::Tensor& scores, const at::Tensor& sums, int64_t count)
{
    TORCH_CHECK(sums.dim() == 1 && sums.size(0) == count && sums.scalar_type() == scores.scalar_type(), "contrastive: sums ",
                sums.scalar_type(), " ", sums.sizes(), " do not fit scores ", scores.scalar_type(), " ", scores.sizes());
    check_together("contrastive", scores, {&sums});
}

}  // namespace

TwoTensors score_sums_result(In scores, Maybe targets, Maybe target_sums, int64_t first_row, int64_t row_instances,
                             int64_t column_instances, double margin, at::Tensor& column_sums)
{
    check_chunk({scores, targets, target_sums, first_row, row_instances, column_instances, margin});
    check_sums(scores, column_sums, scores.size(1));
    const int64_t samples = scores.size(0) / row_instances;
    return {at::empty({samples}, scores.options()), at::empty({samples}, scores.options())};
}

void score_gradients_result(at::Tensor& scores, Maybe targets, Maybe target_sums, int64_t first_row, int64_t row_instances,
                            int64_t column_instances, double margin, In row_sums, In column_sums, In positives, double)
{
    check_chunk({scores, targets, target_sums, first_row, row_instances, column_instances, margin});
    check_sums(scores, row_sums, scores.size(0) / row_instances);
    check_sums(scores, positives, scores.size(0) / row_instances);
    check_sums(scores, column_sums, scores.size(1) / column_instances);
}

namespace {

TwoTensors sums_cpu(In scores, Maybe targets, Maybe target_sums, int64_t first_row, int64_t row_instances,
                    int64_t column_instances, double margin, at::Tensor& column_sums)
{
    score_sums_result(scores, targets, target_sums, first_row, row_instances, column_instances, margin, column_sums);
    return score_sums_cpu({scores, targets, target_sums, first_row, row_instances, column_instances, margin}, column_sums);
}

void gradients_cpu(at::Tensor& scores, Maybe targets, Maybe target_sums, int64_t first_row, int64_t row_instances,
                   int64_t column_instances, double margin, In row_sums, In column_sums, In positives, double factor)
{
    score_gradients_result(scores, targets, target_sums, first_row, row_instances, column_instances, margin, row_sums,
                           column_sums, positives, factor);
    ScoreChunk chunk{scores, targets, target_sums, first_row, row_instances, column_instances, margin};
    score_gradients_cpu(chunk, row_sums, column_sums, positives, factor);
}

}  // namespace

TwoTensors score_sums(const ScoreChunk& c, at::Tensor& column_sums)
{
    static const auto op = operator_handle<decltype(sums_cpu)>("imprint::score_sums");
    return op.call(c.scores, c.targets, c.target_sums, c.first_row, c.row_instances, c.column_instances, c.margin, column_sums);
}

void score_gradients(ScoreChunk& c, const at::Tensor& row_sums, const at::Tensor& column_sums, const at::Tensor& positives,
                     double factor)
{
    static const auto op = operator_handle<decltype(gradients_cpu)>("imprint::score_gradients");
    op.call(c.scores, c.targets, c.target_sums, c.first_row, c.row_instances, c.column_instances, c.margin, row_sums, column_sums,
            positives, factor);
}

}  // namespace imprint::kernels

TORCH_LIBRARY_FRAGMENT(imprint, library)
{
    library.def("score_sums(Tensor scores, Tensor? targets, Tensor? target_sums, int first_row, int row_instances,"
                " int column_instances, float margin, Tensor(a!) column_sums) -> (Tensor row_sums, Tensor positives)");
    library.def(
        "score_gradients(Tensor(a!) scores, Tensor? targets, Tensor? target_sums, int first_row, int row_instances,"
        " int column_instances, float margin, Tensor row_sums, Tensor column_sums, Tensor positives, float factor) -> ()");
}

TORCH_LIBRARY_IMPL(imprint, CPU, library)
{
    library.impl("score_sums", imprint::kernels::sums_cpu);
    library.impl("score_gradients", imprint::kernels::gradients_cpu);
}

TORCH_LIBRARY_IMPL(imprint, Meta, library)
{
    library.impl("score_sums", imprint::kernels::score_sums_result);
    library.impl("score_gradients", imprint::kernels::score_gradients_result);
}
