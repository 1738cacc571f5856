// SPDX-License-Identifier: Apache-2.0
// The CUDA bodies live in a namespace of their own name, so that a test can hold them twice: compiled for a GPU and for
// the tests' CPU device.
#pragma once

#include <cstdint>

#ifndef IMPRINT_CUDA_NAMESPACE
#define IMPRINT_CUDA_NAMESPACE cuda
#endif

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

/// The bits of a bfloat16, as c10::BFloat16 lays them out.
struct Bfloat16 {
    uint16_t bits;
};

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
