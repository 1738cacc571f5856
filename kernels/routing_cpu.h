// SPDX-License-Identifier: Apache-2.0
// The CPU bodies of routing over plain memory: one group a call, any thread. T is float or double.
#pragma once

#include <cstdint>

#include "kernels/shapes.h"

namespace imprint::kernels {

/// logits [tokens, experts] → slots, gates [experts, capacity], log_sums [tokens].
template <class T>
void experts_choose_group(const RoutingShape& shape, const T* logits, int64_t* slots, T* gates, T* log_sums);

/// The same, with claims [experts].
template <class T>
void tokens_choose_group(const RoutingShape& shape, int64_t choices, bool batch_priority, const T* logits, int64_t* slots,
                         T* gates, T* log_sums, int64_t* claims);

/// gradient [tokens, experts] of the logits from those of gates [experts, capacity] and log_sums [tokens].
template <class T>
void route_backward_group(const RoutingShape& shape, const T* grad_gates, const T* grad_log_sums, const T* logits,
                          const int64_t* slots, T* gradient);

}  // namespace imprint::kernels
