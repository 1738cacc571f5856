// SPDX-License-Identifier: Apache-2.0
// Sound to log-mel frames: imp_method.md section 1.2.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <vector>

#include "core/model/config.h"
#include "kernels/log_mel.h"

namespace imprint::tokens {

/// Magnitude STFT (periodic Hann, frame and FFT of `fft` samples, zeros past the end), triangular HTK mel bands without
/// area normalisation, log(mel + 1e-6).
class LogMel {
public:
    /// What it needs is kept on `device`, where samples must be.
    explicit LogMel(const model::ModelConfig& config, at::Device device = at::kCPU);

    /// samples: fp32 [batch, n] at 16 kHz, n a multiple of hop. Returns [batch, n / hop, mel_bands].
    at::Tensor operator()(const at::Tensor& samples) const;

    /// Length that `samples` are padded to with zeros: whole patches, at least one, at most the window.
    int64_t padded_length(int64_t samples) const;

    /// On the CPU: [fft / 2 + 1, mel_bands], as TensorFlow's linear_to_mel_weight_matrix defines it.
    const at::Tensor& mel_matrix() const { return mel_; }

private:
    int64_t fft_, hop_, patch_samples_, max_patches_;
    at::Tensor window_, mel_;
    kernels::MelBands bands_;
};

}  // namespace imprint::tokens
