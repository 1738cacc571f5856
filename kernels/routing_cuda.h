// SPDX-License-Identifier: Apache-2.0
// The CUDA launchers of routing over device memory. They start kernels on `stream` and return; nothing waits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_namespace.h"
#include "kernels/shapes.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

constexpr int64_t kMaxExperts = 1024;

/// probabilities: scratch [groups, experts, tokens].
cudaError_t experts_choose(const RoutingShape& shape, int64_t groups, const float* logits, float* probabilities, int64_t* slots,
                           float* gates, float* log_sums, cudaStream_t stream);

/// Scratch: probabilities [groups, experts, tokens], chosen [groups, choices, tokens], best [groups, tokens] and order
/// [groups, tokens] (the last two only with batch priority, else null).
struct TokensScratch {
    float* probabilities;
    int32_t* chosen;
    float* best;
    int64_t* order;
};
cudaError_t tokens_choose(const RoutingShape& shape, int64_t groups, int64_t choices, const float* logits,
                          const TokensScratch& scratch, int64_t* slots, float* gates, float* log_sums, int64_t* claims,
                          cudaStream_t stream);

cudaError_t route_backward(const RoutingShape& shape, int64_t groups, const float* grad_gates, const float* grad_log_sums,
                           const float* logits, const int64_t* slots, float* gradient, cudaStream_t stream);

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
