// SPDX-License-Identifier: Apache-2.0
// The CUDA body of log_mel.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "kernels/bodies.h"
#include "kernels/cuda_bodies.h"
#include "kernels/cuda_stream.h"
#include "kernels/cuda_types.h"
#include "kernels/log_mel_cuda.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

at::Tensor log_mel_body(const at::Tensor& samples, const at::Tensor& window, const at::Tensor& first, const at::Tensor& offsets,
                        const at::Tensor& weights, int64_t hop)
{
    const at::Tensor result = log_mel_result(samples, window, first, offsets, weights, hop);
    const MelShape shape{result.size(0) * result.size(1), window.size(0) / 2 + 1, result.size(2)};
    TORCH_CHECK(shape.bins <= kMaxBins, "log_mel: a CUDA device takes at most ", kMaxBins, " bins, got ", shape.bins);
    if (result.numel() == 0)
        return result;
    const c10::OptionalDeviceGuard guard(samples.device());
    const at::Tensor spectrum = log_mel_spectrum(samples, window, hop);
    check(mel_frames(shape, data<float>(spectrum), data<int64_t>(first), data<int64_t>(offsets), data<float>(weights),
                     mutable_data<float>(result), stream_of(samples)),
          "log_mel");
    return result;
}

}  // namespace

void register_log_mel(torch::Library& library) { library.impl("log_mel", log_mel_body); }

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
