// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with fused bias and clamp over channels-last maps, as the EfficientNet-lite trunk needs it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imprint::kernels {

/// One k×k filter per channel, TensorFlow's "same" padding, then bias, then a clamp to [0, clamp_high].
///   input  [batch, height, width, channels], weight [k, k, channels], bias [channels]: float32, contiguous, one device
///   result [batch, ⌈height/stride⌉, ⌈width/stride⌉, channels]
/// k is 3 or 5, stride 1 or 2. The padding is ⌊p/2⌋ before and p−⌊p/2⌋ after, with p = max((out−1)·stride + k − in, 0).
/// An output value depends on its own item alone and is summed in one order (filter rows, then columns): its bits do
/// not change with the batch, its place in it, or the number of threads. Differentiable by the input; filters and biases are
/// constants.
/// Also callable as imprint::depthwise_conv through the dispatcher (CPU, CUDA and Meta).
/// Throws c10::Error on wrong shapes or types and where no body exists for the device.
at::Tensor depthwise_conv(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride,
                          double clamp_high);

}  // namespace imprint::kernels
