// SPDX-License-Identifier: Apache-2.0
// Sound to log-mel frames; the triangles are kept as what is not zero of them. Source: imp_method.md section 1.2.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imprint::kernels {

/// A mel matrix [bins, bands] without its zeros: band b is Σ weights[offsets[b] + i] · magnitude[first[b] + i].
struct MelBands {
    at::Tensor first;    ///< [bands] int64
    at::Tensor offsets;  ///< [bands + 1] int64
    at::Tensor weights;  ///< [offsets[bands]] fp32
};

/// The bands of a CPU fp32 or fp64 matrix [bins, bands]; each keeps all from its first to its last non-zero weight.
MelBands mel_bands(const at::Tensor& matrix);

/// log(mel + 1e-6) of the magnitude STFT: frames of window.size(0) samples every `hop`, zeros past the end.
///   samples [batch, n]  fp32 (fp64 on the CPU too), contiguous, n a multiple of hop; window [fft] like samples
///   bands   of a matrix with fft / 2 + 1 bins, on the device of samples
/// Returns [batch, n / hop, bands] in the dtype of samples. The transform is libtorch's. Sound is an input: no derivative.
/// CPU, CUDA and Meta. Throws c10::Error on wrong shapes and types.
at::Tensor log_mel(const at::Tensor& samples, const at::Tensor& window, const MelBands& bands, int64_t hop);

}  // namespace imprint::kernels
