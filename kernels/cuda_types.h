// SPDX-License-Identifier: Apache-2.0
// Tensor memory as the launchers name its types.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "kernels/cuda_namespace.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

template <class T>
const T* data(const at::Tensor& tensor)
{
    return static_cast<const T*>(tensor.const_data_ptr());
}

template <class T>
T* mutable_data(const at::Tensor& tensor)
{
    return static_cast<T*>(tensor.mutable_data_ptr());
}

template <class T>
const T* data(const std::optional<at::Tensor>& tensor)
{
    return tensor ? data<T>(*tensor) : nullptr;
}

/// Calls body(float{}) or body(Bfloat16{}); the operator's check has refused every other type.
template <class Body>
void for_type(const at::Tensor& tensor, const Body& body)
{
    if (tensor.scalar_type() == at::kBFloat16)
        body(Bfloat16{});
    else
        body(float{});
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
