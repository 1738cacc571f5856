// SPDX-License-Identifier: Apache-2.0
// One chunk of rows of the contrastive loss: the operators score_sums and score_gradients, as contrastive.cpp calls them.
// What they compute stands in bodies.h.
#pragma once

#include "kernels/bodies.h"

namespace imprint::kernels {

struct ScoreChunk {
    at::Tensor scores;
    MaybeTensor targets, target_sums;
    int64_t first_row, row_instances, column_instances;
    double margin;
};

/// Row sums and positives of the chunk's samples; merges the chunk into column_sums.
TwoTensors score_sums(const ScoreChunk& chunk, at::Tensor& column_sums);

/// Turns the chunk's scores into their gradients.
void score_gradients(ScoreChunk& chunk, const at::Tensor& row_sums, const at::Tensor& column_sums, const at::Tensor& positives,
                     double factor);

/// The CPU bodies, of a chunk that has been checked.
TwoTensors score_sums_cpu(const ScoreChunk& chunk, at::Tensor& column_sums);
void score_gradients_cpu(ScoreChunk& chunk, const at::Tensor& row_sums, const at::Tensor& column_sums,
                         const at::Tensor& positives, double factor);

}  // namespace imprint::kernels
