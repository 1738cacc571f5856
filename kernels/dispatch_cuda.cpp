// SPDX-License-Identifier: Apache-2.0
// The CUDA bodies of dispatch and combine.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "kernels/bodies.h"
#include "kernels/cuda_bodies.h"
#include "kernels/cuda_stream.h"
#include "kernels/cuda_types.h"
#include "kernels/dispatch_cuda.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

at::Tensor gather_body(const at::Tensor& x, const at::Tensor& slots, const MaybeTensor& gates)
{
    const at::Tensor rows = gather_rows_result(x, slots, gates);
    const DispatchShape shape{x.size(0), x.size(1), slots.size(1), slots.size(2), x.size(2)};
    const c10::OptionalDeviceGuard guard(x.device());
    for_type(x, [&](auto zero) {
        using T = decltype(zero);
        check(gather_rows(shape, data<T>(x), data<int64_t>(slots), data<float>(gates), mutable_data<T>(rows), stream_of(x)),
              "gather_rows");
    });
    return rows;
}

at::Tensor combine_body(const at::Tensor& rows, const at::Tensor& slots, const MaybeTensor& gates, int64_t tokens)
{
    const at::Tensor result = combine_rows_result(rows, slots, gates, tokens);
    const DispatchShape shape{rows.size(1), tokens, rows.size(0), rows.size(2), rows.size(3)};
    const c10::OptionalDeviceGuard guard(rows.device());
    const at::Tensor inverse = at::empty({shape.groups, tokens, shape.experts}, slots.options().dtype(at::kInt));
    for_type(rows, [&](auto zero) {
        using T = decltype(zero);
        check(combine_rows(shape, data<T>(rows), data<int64_t>(slots), data<float>(gates), mutable_data<int32_t>(inverse),
                           mutable_data<T>(result), stream_of(rows)),
              "combine_rows");
    });
    return result;
}

at::Tensor gate_gradients_body(const at::Tensor& grad, const at::Tensor& rows, const at::Tensor& slots)
{
    const at::Tensor gradient = gate_gradients_result(grad, rows, slots);
    const DispatchShape shape{rows.size(1), grad.size(1), rows.size(0), rows.size(2), rows.size(3)};
    const c10::OptionalDeviceGuard guard(rows.device());
    for_type(rows, [&](auto zero) {
        using T = decltype(zero);
        check(gate_gradients(shape, data<T>(grad), data<T>(rows), data<int64_t>(slots), mutable_data<float>(gradient),
                             stream_of(rows)),
              "gate_gradients");
    });
    return gradient;
}

}  // namespace

void register_dispatch(torch::Library& library)
{
    library.impl("gather_rows", gather_body);
    library.impl("combine_rows", combine_body);
    library.impl("gate_gradients", gate_gradients_body);
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
