// SPDX-License-Identifier: Apache-2.0
// Schema, checks, transform and dispatch of log_mel.
#include "kernels/log_mel.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include "kernels/bodies.h"
#include "kernels/log_mel_cpu.h"
#include "kernels/operator.h"

namespace imprint::kernels {

using In = const at::Tensor&;

at::Tensor log_mel_result(In samples, In window, In first, In offsets, In weights, int64_t hop)
{
    const auto type = samples.scalar_type();
    TORCH_CHECK(samples.dim() == 2 && (type == at::kFloat || (type == at::kDouble && !samples.is_cuda())),
                "log_mel: wanted float32 samples [batch, n] (float64 on the CPU), got ", type, " ", samples.sizes());
    TORCH_CHECK(window.dim() == 1 && window.scalar_type() == type && hop >= 1 && hop <= window.size(0)
                    && samples.size(1) % hop == 0,
                "log_mel: ", samples.size(1), " samples, a window of ", window.sizes(), " and hops of ", hop, " do not fit");
    TORCH_CHECK(first.dim() == 1 && offsets.dim() == 1 && offsets.size(0) == first.size(0) + 1 && weights.dim() == 1
                    && first.scalar_type() == at::kLong && offsets.scalar_type() == at::kLong
                    && weights.scalar_type() == at::kFloat,
                "log_mel: the bands are not what mel_bands() makes");
    check_together("log_mel", samples, {&window, &first, &offsets, &weights});
    return at::empty({samples.size(0), samples.size(1) / hop, first.size(0)}, samples.options());
}

at::Tensor log_mel_spectrum(In samples, In window, int64_t hop)
{
    const int64_t fft = window.size(0), frames = samples.size(1) / hop;
    const at::Tensor padded = at::constant_pad_nd(samples, {0, fft - hop});
    const at::Tensor windows = padded.unfold(1, fft, hop).narrow(1, 0, frames) * window;
    return at::view_as_real(at::fft_rfft(windows, fft, -1).flatten(0, 1).contiguous());
}

namespace {

at::Tensor log_mel_cpu(In samples, In window, In first, In offsets, In weights, int64_t hop)
{
    const at::Tensor result = log_mel_result(samples, window, first, offsets, weights, hop);
    if (result.numel() == 0)
        return result;
    const MelShape shape{result.size(0) * result.size(1), window.size(0) / 2 + 1, result.size(2)};
    const int64_t* starts = first.const_data_ptr<int64_t>();
    const int64_t* places = offsets.const_data_ptr<int64_t>();
    for (int64_t band = 0; band < shape.bands; ++band)
        TORCH_CHECK(places[band] >= 0 && places[band] <= places[band + 1] && places[band + 1] <= weights.size(0)
                        && starts[band] >= 0 && starts[band] + places[band + 1] - places[band] <= shape.bins,
                    "log_mel: band ", band, " reaches past the ", shape.bins, " bins of the transform");
    const at::Tensor spectrum = log_mel_spectrum(samples, window, hop);
    AT_DISPATCH_FLOATING_TYPES(samples.scalar_type(), "log_mel", [&] {
        at::parallel_for(0, shape.frames, grain_for(4 * shape.bins), [&](int64_t from, int64_t to) {
            mel_frames(shape, spectrum.const_data_ptr<scalar_t>(), starts, places, weights.const_data_ptr<float>(),
                       result.mutable_data_ptr<scalar_t>(), from, to);
        });
    });
    return result;
}

}  // namespace

MelBands mel_bands(const at::Tensor& matrix)
{
    TORCH_CHECK(matrix.dim() == 2 && matrix.is_cpu(), "mel_bands: wanted a matrix [bins, bands] on the CPU, got ",
                matrix.sizes());
    const at::Tensor by_band = matrix.t().to(at::kFloat).contiguous();
    const int64_t bands = by_band.size(0), bins = by_band.size(1);
    std::vector<int64_t> first(static_cast<size_t>(bands)), offsets(1, 0);
    std::vector<float> weights;
    for (int64_t band = 0; band < bands; ++band) {
        const float* row = by_band.const_data_ptr<float>() + band * bins;
        int64_t from = 0, to = bins;
        while (from < bins && row[from] == 0)
            ++from;
        while (to > from && row[to - 1] == 0)
            --to;
        first[static_cast<size_t>(band)] = from == bins ? 0 : from;
        weights.insert(weights.end(), row + from, row + to);
        offsets.push_back(static_cast<int64_t>(weights.size()));
    }
    return {at::tensor(first, at::kLong), at::tensor(offsets, at::kLong), at::tensor(weights, at::kFloat)};
}

at::Tensor log_mel(const at::Tensor& samples, const at::Tensor& window, const MelBands& bands, int64_t hop)
{
    static const auto op = operator_handle<decltype(log_mel_cpu)>("imprint::log_mel");
    return op.call(samples, window, bands.first, bands.offsets, bands.weights, hop);
}

}  // namespace imprint::kernels

TORCH_LIBRARY_FRAGMENT(imprint, library)
{
    library.def("log_mel(Tensor samples, Tensor window, Tensor first, Tensor offsets, Tensor weights, int hop) -> Tensor");
}

TORCH_LIBRARY_IMPL(imprint, CPU, library) { library.impl("log_mel", imprint::kernels::log_mel_cpu); }

TORCH_LIBRARY_IMPL(imprint, Meta, library) { library.impl("log_mel", imprint::kernels::log_mel_result); }
