// SPDX-License-Identifier: Apache-2.0
// Losses between two sets of unit vectors: imp_method.md section 4, recipe.md for the soft targets.
#pragma once

#include <ATen/core/Tensor.h>

namespace imprint::training {

/// What a teacher thinks of every pair in a batch: softmax(sharpness · t·tᵀ) per row.
struct Teacher {
    at::Tensor vectors;  ///< [batch, dim] unit vectors
    double sharpness = 1;
};

/// Cross-modal NCE with one instance per sample. a, b: [batch, dim] unit vectors; temperature: scalar tensor.
/// a's row should say of the b's what `teacher` says; without one, that its own is the only one.
/// Returns the mean of both directions (columns use the transpose of what the teacher says, rows normalised anew).
at::Tensor nce(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature, const Teacher& teacher = {});
/// The same with what the rows should say written out: targets [batch, batch], rows that sum to one.
at::Tensor nce(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature, const at::Tensor& targets);

/// The paper's form with several instances per sample and a margin: a [batch, n1, dim], b [batch, n2, dim] (not yet
/// normalised). Positives of a sample are all n1 × n2 of its pairs: MIL-NCE. Returns the mean of both directions.
at::Tensor multi_instance_nce(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature, double margin = 0);

/// Mean of 1 − a·b over rows of unit vectors.
at::Tensor cosine_distance(const at::Tensor& a, const at::Tensor& b);

/// Softmax cross-entropy, mean over the batch. logits, labels: [batch, classes]; labels are one-hot or multi-hot, each row is
/// made to sum to one, then smoothed: (1 − smoothing) · y + smoothing / classes.
at::Tensor softmax_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing = 0);

/// Sigmoid cross-entropy of labels that exclude nothing: mean over classes and batch. logits, labels: [batch, classes]; labels
/// are smoothed towards one half.
at::Tensor sigmoid_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing = 0);

/// Masked language: cross-entropy at the chosen positions, divided by their number (zero where none is chosen).
/// logits: [batch, tokens, vocabulary]; ids: int64 [batch, tokens], what stood there; chosen: [batch, tokens] zeros and ones.
at::Tensor masked_cross_entropy(const at::Tensor& logits, const at::Tensor& ids, const at::Tensor& chosen);

/// Mean squared error over the chosen positions. predictions, targets: [batch, tokens, dim]; chosen: [batch, tokens].
at::Tensor masked_squared_error(const at::Tensor& predictions, const at::Tensor& targets, const at::Tensor& chosen);

}  // namespace imprint::training
