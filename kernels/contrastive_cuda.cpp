// SPDX-License-Identifier: Apache-2.0
// The CUDA bodies of a chunk of the contrastive loss.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "kernels/bodies.h"
#include "kernels/contrastive_cuda.h"
#include "kernels/cuda_bodies.h"
#include "kernels/cuda_stream.h"
#include "kernels/cuda_types.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

TwoTensors sums_body(const at::Tensor& scores, const MaybeTensor& targets, const MaybeTensor& target_sums, int64_t first_row,
                     int64_t row_instances, int64_t column_instances, double margin, at::Tensor& column_sums)
{
    const TwoTensors result =
        score_sums_result(scores, targets, target_sums, first_row, row_instances, column_instances, margin, column_sums);
    const ScoreShape shape{scores.size(0), scores.size(1), first_row, row_instances, column_instances, margin};
    const c10::OptionalDeviceGuard guard(scores.device());
    check(score_sums(shape, data<float>(scores), {data<float>(targets), data<float>(target_sums)},
                     mutable_data<float>(std::get<0>(result)), mutable_data<float>(std::get<1>(result)),
                     mutable_data<float>(column_sums), stream_of(scores)),
          "score_sums");
    return result;
}

void gradients_body(at::Tensor& scores, const MaybeTensor& targets, const MaybeTensor& target_sums, int64_t first_row,
                    int64_t row_instances, int64_t column_instances, double margin, const at::Tensor& row_sums,
                    const at::Tensor& column_sums, const at::Tensor& positives, double factor)
{
    score_gradients_result(scores, targets, target_sums, first_row, row_instances, column_instances, margin, row_sums,
                           column_sums, positives, factor);
    const ScoreShape shape{scores.size(0), scores.size(1), first_row, row_instances, column_instances, margin};
    const c10::OptionalDeviceGuard guard(scores.device());
    check(score_gradients(shape, mutable_data<float>(scores), {data<float>(targets), data<float>(target_sums)},
                          data<float>(row_sums), data<float>(column_sums), data<float>(positives), static_cast<float>(factor),
                          stream_of(scores)),
          "score_gradients");
}

}  // namespace

void register_contrastive(torch::Library& library)
{
    library.impl("score_sums", sums_body);
    library.impl("score_gradients", gradients_body);
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
