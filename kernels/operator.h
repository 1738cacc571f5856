// SPDX-License-Identifier: Apache-2.0
// What the check-and-dispatch files share.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

namespace imprint::kernels {

/// The dispatcher's handle of "imprint::<name>"; keep it in a static, the look-up takes a lock.
template <class Signature>
auto operator_handle(const char* name)
{
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").template typed<Signature>();
}

/// Refuses tensors that are not contiguous or not on the device of `first`.
inline void check_together(const char* op, const at::Tensor& first, std::initializer_list<const at::Tensor*> others)
{
    TORCH_CHECK(first.is_contiguous(), op, ": wanted contiguous tensors");
    for (const at::Tensor* tensor : others) {
        if (!tensor->defined())
            continue;
        TORCH_CHECK(tensor->is_contiguous(), op, ": wanted contiguous tensors");
        TORCH_CHECK(tensor->device() == first.device(), op, ": tensors on ", first.device(), " and ", tensor->device());
    }
}

/// Items a thread should get at least, when one item costs `work` elementary steps: below some tens of thousands of
/// steps, waking a second thread costs more than it saves.
inline int64_t grain_for(int64_t work) { return std::max<int64_t>(1, 32768 / std::max<int64_t>(work, 1)); }

}  // namespace imprint::kernels
