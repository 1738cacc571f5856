// SPDX-License-Identifier: Apache-2.0
// What the bodies of an operator share: its check of the arguments with the result to fill, on the arguments' device. On
// device meta that is all there is, so these are also the Meta bodies. Arguments as in the operator's own header.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <tuple>

#include "kernels/shapes.h"

namespace imprint::kernels {

using MaybeTensor = std::optional<at::Tensor>;
using TwoTensors = std::tuple<at::Tensor, at::Tensor>;
using ThreeTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
using FourTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

/// routing.h: slots, gates, logsumexp of every token; then claims.
ThreeTensors experts_choose_result(const at::Tensor& logits, int64_t capacity);
FourTensors tokens_choose_result(const at::Tensor& logits, int64_t choices, int64_t capacity, bool batch_priority);
at::Tensor route_backward_result(const at::Tensor& grad_gates, const at::Tensor& grad_log_sums, const at::Tensor& logits,
                                 const at::Tensor& slots);

/// dispatch.h
at::Tensor gather_rows_result(const at::Tensor& x, const at::Tensor& slots, const MaybeTensor& gates);
at::Tensor combine_rows_result(const at::Tensor& rows, const at::Tensor& slots, const MaybeTensor& gates, int64_t tokens);
at::Tensor gate_gradients_result(const at::Tensor& grad, const at::Tensor& rows, const at::Tensor& slots);

/// layer_norm.h: result, mean and 1 / deviation of every row; gradients of x, scale, bias.
ThreeTensors layer_norm_result(const at::Tensor& x, const at::Tensor& scale, const MaybeTensor& bias, double epsilon);
ThreeTensors layer_norm_backward_result(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& scale,
                                        const at::Tensor& means, const at::Tensor& inverses);

/// patchify.h
at::Tensor patchify_result(const at::Tensor& frames, const MaybeTensor& kept, int64_t patch_frames, int64_t patch_size);

/// log_mel.h; and the transform that its bodies begin with: [batch · frames, fft / 2 + 1, 2], real and imaginary parts.
at::Tensor log_mel_result(const at::Tensor& samples, const at::Tensor& window, const at::Tensor& first, const at::Tensor& offsets,
                          const at::Tensor& weights, int64_t hop);
at::Tensor log_mel_spectrum(const at::Tensor& samples, const at::Tensor& window, int64_t hop);

/// A chunk of the contrastive loss, contrastive.cpp: scores [rows, columns] of whole samples, row first_row + r being
/// instance r % row_instances of its sample; targets [rows, columns] and target_sums [columns], their sums over the whole
/// batch, or neither: then a sample's own pairs, less `margin`, are positive.
/// score_sums: per sample of the chunk the logsumexp over its rows, and its positive (with targets ½ Σ (T + T / sums) · s);
/// merges the chunk into column_sums [columns], the running logsumexp of every column (-∞ before the first chunk).
TwoTensors score_sums_result(const at::Tensor& scores, const MaybeTensor& targets, const MaybeTensor& target_sums,
                             int64_t first_row, int64_t row_instances, int64_t column_instances, double margin,
                             at::Tensor& column_sums);
/// score_gradients: turns scores into factor · d(Σ row sums + Σ column sums − 2 Σ positives) / d scores, in place. row_sums
/// and positives are those of the chunk's samples, column_sums [samples of the batch] covers all columns of a sample.
void score_gradients_result(at::Tensor& scores, const MaybeTensor& targets, const MaybeTensor& target_sums, int64_t first_row,
                            int64_t row_instances, int64_t column_instances, double margin, const at::Tensor& row_sums,
                            const at::Tensor& column_sums, const at::Tensor& positives, double factor);

/// depthwise_conv.h
at::Tensor depthwise_conv_result(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride,
                                 double clamp_high);
DepthwiseConvShape depthwise_conv_shape(const at::Tensor& input, const at::Tensor& weight, int64_t stride, double clamp_high);

}  // namespace imprint::kernels
