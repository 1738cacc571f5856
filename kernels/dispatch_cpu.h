// SPDX-License-Identifier: Apache-2.0
// The CPU bodies of dispatch and combine over plain memory, layouts as in dispatch.h. T is float, double or
// c10::BFloat16; gates and their gradients are not kept in less than fp32. Ranges are disjoint: any thread.
#pragma once

#include <cstdint>

#include "kernels/numbers.h"
#include "kernels/shapes.h"

namespace imprint::kernels {

/// Writes rows [first, last) of experts·groups·capacity, each times its gate where `gates` is not null.
template <class T>
void gather_rows(const DispatchShape& shape, const T* x, const int64_t* slots, const Sum<T>* gates, T* rows, int64_t first,
                 int64_t last);

/// inverse[g, t, e] = the slot of expert e that holds t, or -1, for groups [first, last).
void invert_slots(const DispatchShape& shape, const int64_t* slots, int32_t* inverse, int64_t first, int64_t last);

/// Writes tokens [first, last) of groups·tokens. Without gates every gate is 1.
template <class T>
void combine_tokens(const DispatchShape& shape, const T* rows, const Sum<T>* gates, const int32_t* inverse, T* result,
                    int64_t first, int64_t last);

/// gradient[g, e, s] = grad[g, slots[g, e, s]] · rows[e, g, s] for gates [first, last) of groups·experts·capacity.
template <class T>
void gate_gradients(const DispatchShape& shape, const T* grad, const T* rows, const int64_t* slots, Sum<T>* gradient,
                    int64_t first, int64_t last);

}  // namespace imprint::kernels
