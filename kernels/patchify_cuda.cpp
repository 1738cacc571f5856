// SPDX-License-Identifier: Apache-2.0
// The CUDA body of patchify.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "kernels/bodies.h"
#include "kernels/cuda_bodies.h"
#include "kernels/cuda_stream.h"
#include "kernels/cuda_types.h"
#include "kernels/patchify_cuda.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

at::Tensor patchify_body(const at::Tensor& frames, const MaybeTensor& kept, int64_t patch_frames, int64_t patch_size)
{
    const at::Tensor result = patchify_result(frames, kept, patch_frames, patch_size);
    const PatchShape shape{frames.size(0), frames.size(1), frames.size(2), frames.size(3),
                           patch_frames,   patch_size,     result.size(1), kept ? kept->size(0) : 0};
    const c10::OptionalDeviceGuard guard(frames.device());
    check(patchify(shape, data<uint8_t>(frames), data<int64_t>(kept), mutable_data<float>(result), stream_of(frames)),
          "patchify");
    return result;
}

}  // namespace

void register_patchify(torch::Library& library) { library.impl("patchify", patchify_body); }

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
