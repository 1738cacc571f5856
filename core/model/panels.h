// SPDX-License-Identifier: Apache-2.0
// Products of a frozen matrix with rows in plain memory, by libtorch's micro product (at::native::cpublas::brgemm): nothing is
// allocated or dispatched between two of them, so that a map can be worked through in pieces that stay in the cache.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace imprint::model {

/// A matrix [out, in], kept as panels of up to 64 outputs, each [in, outputs]. The rows of its inputs and outputs lie side by
/// side. A row's last bits depend on the number of rows that are asked for at once. const methods: any thread; they throw
/// std::bad_alloc where memory is too short for a product of a new shape.
class Panels {
public:
    /// Whether libtorch has the micro product for this processor, and oneDNN, which makes it, is not switched off.
    static bool available();

    Panels() = default;
    /// float32 on the CPU.
    explicit Panels(const at::Tensor& weight);
    bool defined() const { return values_.defined(); }
    int64_t in() const { return in_; }
    int64_t out() const { return out_; }

    /// output[row] += input[row] · Wᵀ.
    void add_product(const float* input, int64_t rows, float* output) const;
    /// output[row] = clamp(input[row] · Wᵀ + bias, 0, high).
    void clamped_product(const float* input, int64_t rows, const float* bias, float high, float* output) const;

private:
    at::Tensor values_;
    int64_t in_ = 0, out_ = 0;
};

}  // namespace imprint::model
