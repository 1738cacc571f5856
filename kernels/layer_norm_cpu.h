// SPDX-License-Identifier: Apache-2.0
// The CPU bodies of layer_norm over plain memory. T is float, double or c10::BFloat16; any thread.
#pragma once

#include "kernels/numbers.h"
#include "kernels/shapes.h"

namespace imprint::kernels {

/// Rows that one sum of the parameters' gradients covers; the sums are added in order.
constexpr int64_t kNormChunk = 256;

/// Rows [first, last): result, and mean and 1 / deviation of each row. bias may be null.
template <class T>
void layer_norm_rows(const NormShape& shape, const T* x, const Sum<T>* scale, const Sum<T>* bias, T* result, Sum<T>* means,
                     Sum<T>* inverses, int64_t first, int64_t last);

/// The gradient of x for rows [first, last).
template <class T>
void layer_norm_backward_rows(const NormShape& shape, const T* grad, const T* x, const Sum<T>* scale, const Sum<T>* means,
                              const Sum<T>* inverses, T* gradient, int64_t first, int64_t last);

/// Sums over chunk number `chunk` of kNormChunk rows: sums [2, width], gradient of scale, then of bias.
template <class T>
void layer_norm_parameter_sums(const NormShape& shape, const T* grad, const T* x, const Sum<T>* means, const Sum<T>* inverses,
                               Sum<T>* sums, int64_t chunk);

}  // namespace imprint::kernels
