// SPDX-License-Identifier: Apache-2.0
// The spectrogram front end: which window and which bands; the frames are an operator's.
#include "core/tokens/log_mel.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace imprint::tokens {
namespace {

double hertz_to_mel(double hertz) { return 1127.0 * std::log1p(hertz / 700.0); }

at::Tensor make_mel_matrix(const model::ModelConfig& c)
{
    const int64_t bins = c.fft / 2 + 1;
    at::Tensor matrix = at::zeros({bins, c.mel_bands}, at::kDouble);
    auto m = matrix.accessor<double, 2>();
    const double low = hertz_to_mel(c.mel_low), high = hertz_to_mel(c.mel_high);
    const double step = (high - low) / (c.mel_bands + 1);
    // Bin 0 is left out: the DC row is zero by definition.
    for (int64_t bin = 1; bin < bins; ++bin) {
        const double mel = hertz_to_mel(static_cast<double>(bin) * media::kSampleRate / c.fft);
        for (int64_t band = 0; band < c.mel_bands; ++band) {
            const double lower = low + step * static_cast<double>(band), centre = lower + step, upper = centre + step;
            m[bin][band] = std::max(0.0, std::min((mel - lower) / (centre - lower), (upper - mel) / (upper - centre)));
        }
    }
    return matrix.to(at::kFloat);
}

}  // namespace

LogMel::LogMel(const model::ModelConfig& config, at::Device device)
    : fft_(config.fft), hop_(config.hop), patch_samples_(config.sound_patch_samples()), max_patches_(config.max_sound_patches),
      window_(at::hann_window(config.fft, /*periodic=*/true, at::kFloat).to(device)), mel_(make_mel_matrix(config)),
      bands_(kernels::mel_bands(mel_))
{
    for (at::Tensor* part : {&bands_.first, &bands_.offsets, &bands_.weights})
        *part = part->to(device);
}

int64_t LogMel::padded_length(int64_t samples) const
{
    const int64_t patches = std::clamp<int64_t>((samples + patch_samples_ - 1) / patch_samples_, 1, max_patches_);
    return patches * patch_samples_;
}

at::Tensor LogMel::operator()(const at::Tensor& samples) const
{
    IMPRINT_ASSERT(samples.dim() == 2 && samples.size(1) % hop_ == 0);
    return kernels::log_mel(samples.contiguous(), window_, bands_, hop_);
}

}  // namespace imprint::tokens
