// SPDX-License-Identifier: Apache-2.0
// CUDA kernels of a chunk of the contrastive loss: a block a sample for rows, a warp's width of columns a block for columns.
#include "kernels/contrastive_cuda.h"

#include "kernels/cuda_common.cuh"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;
constexpr int kParts = kThreads / kWarp;

/// The merged sum of all threads, the same tree whatever the schedule. Every thread of the block calls it.
__device__ LogSum block_log_sum(LogSum own, LogSum* shared)
{
    const int own_place = static_cast<int>(threadIdx.x);
    shared[own_place] = own;
    for (int step = kThreads / 2; step > 0; step /= 2) {
        __syncthreads();
        if (own_place < step)
            shared[own_place].add(shared[own_place + step]);
    }
    __syncthreads();
    const LogSum total = shared[0];
    __syncthreads();
    return total;
}

template <bool Vector>
__global__ void sum_rows(ScoreShape shape, const float* scores, SoftTargets targets, float* row_sums, float* positives)
{
    using Values = Pack<float, Vector>;
    __shared__ LogSum shared[kThreads];
    const int64_t n1 = shape.row_instances, n2 = shape.column_instances, sample = blockIdx.x;
    const float* rows = scores + sample * n1 * shape.columns;
    LogSum all{-INFINITY, 0};
    float agreed = 0;
    for (int64_t i = static_cast<int64_t>(threadIdx.x) * Values::kSize; i < n1 * shape.columns; i += kThreads * Values::kSize) {
        const Values values = load<Vector>(rows + i);
        for (int j = 0; j < Values::kSize; ++j)
            all.add(values.values[j]);
        if (targets.values) {
            const Values wanted = load<Vector>(targets.values + sample * shape.columns + i);
            for (int j = 0; j < Values::kSize; ++j)
                agreed += wanted.values[j] * (1 + 1 / targets.sums[i + j]) * values.values[j];
        }
    }
    const LogSum total = block_log_sum(all, shared);
    if (threadIdx.x == 0)
        row_sums[sample] = total.value();

    if (targets.values) {
        agreed = warp_sum(agreed);
        if (threadIdx.x % kWarp == 0)
            shared[threadIdx.x / kWarp].sum = agreed;
        __syncthreads();
        if (threadIdx.x == 0) {
            float sum = 0;
            for (int part = 0; part < kParts; ++part)
                sum += shared[part].sum;
            positives[sample] = sum / 2;
        }
        return;
    }
    LogSum own{-INFINITY, 0};
    const int64_t start = (shape.first_row / n1 + sample) * n2;
    for (int64_t i = threadIdx.x; i < n1 * n2; i += kThreads)
        own.add(rows[i / n2 * shape.columns + start + i % n2] - static_cast<float>(shape.margin));
    const LogSum positive = block_log_sum(own, shared);
    if (threadIdx.x == 0)
        positives[sample] = positive.value();
}

/// A block's warps take every kParts-th row of 32 neighbouring columns: each read is 128 bytes side by side.
__global__ void sum_columns(ScoreShape shape, const float* scores, float* column_sums)
{
    __shared__ LogSum parts[kParts][kWarp];
    const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
    const int64_t column = static_cast<int64_t>(blockIdx.x) * kWarp + lane;
    LogSum sum{-INFINITY, 0};
    if (column < shape.columns)
        for (int64_t row = warp; row < shape.rows; row += kParts)
            sum.add(scores[row * shape.columns + column]);
    parts[warp][lane] = sum;
    __syncthreads();
    if (warp != 0 || column >= shape.columns)
        return;
    const float before = column_sums[column];
    LogSum total{before, before == -INFINITY ? 0.0f : 1.0f};
    for (int part = 0; part < kParts; ++part)
        total.add(parts[part][lane]);
    column_sums[column] = total.value();
}

template <bool Vector>
__global__ void gradients(ScoreShape shape, int64_t packs, float* scores, SoftTargets targets, const float* row_sums,
                          const float* column_sums, const float* positives, float factor)
{
    using Values = Pack<float, Vector>;
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, per_row = shape.columns / Values::kSize;
    if (i >= packs)
        return;
    const int64_t row = i / per_row, column = i % per_row * Values::kSize, sample = row / shape.row_instances;
    Values values = load<Vector>(scores + row * shape.columns + column), wanted{};
    if (targets.values)
        wanted = load<Vector>(targets.values + row * shape.columns + column);
    for (int j = 0; j < Values::kSize; ++j) {
        const float score = values.values[j];
        const int64_t other = (column + j) / shape.column_instances;
        float slope = expf(score - row_sums[sample]) + expf(score - column_sums[other]);
        if (targets.values)
            slope -= wanted.values[j] * (1 + 1 / targets.sums[column + j]);
        else if (other == shape.first_row / shape.row_instances + sample)
            slope -= 2 * expf(score - static_cast<float>(shape.margin) - positives[sample]);
        values.values[j] = factor * slope;
    }
    store(scores + row * shape.columns + column, values);
}

}  // namespace

cudaError_t score_sums(const ScoreShape& shape, const float* scores, SoftTargets targets, float* row_sums, float* positives,
                       float* column_sums, cudaStream_t stream)
{
    const bool packed = fits_packs<float>(shape.columns, scores, targets.values);
    IMPRINT_CUDA_TRY(launch(packed ? sum_rows<true> : sum_rows<false>, shape.rows / shape.row_instances, kThreads, stream, shape,
                            scores, targets, row_sums, positives));
    return launch(sum_columns, divide_up(shape.columns, kWarp), kThreads, stream, shape, scores, column_sums);
}

cudaError_t score_gradients(const ScoreShape& shape, float* scores, SoftTargets targets, const float* row_sums,
                            const float* column_sums, const float* positives, float factor, cudaStream_t stream)
{
    const bool packed = fits_packs<float>(shape.columns, scores, targets.values);
    const int64_t packs = shape.rows * (shape.columns / (packed ? 4 : 1));
    return launch(packed ? gradients<true> : gradients<false>, divide_up(packs, kThreads), kThreads, stream, shape, packs, scores,
                  targets, row_sums, column_sums, positives, factor);
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
