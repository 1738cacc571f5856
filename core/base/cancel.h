// SPDX-License-Identifier: Apache-2.0
// Cancellation as a parameter: copies share one flag; any thread may cancel or ask.
#pragma once

#include <atomic>
#include <memory>

#include "core/base/error.h"

namespace imprint {

class CancelToken {
public:
    CancelToken() : flag_(std::make_shared<std::atomic<bool>>(false)) {}

    void cancel() const { flag_->store(true, std::memory_order_relaxed); }
    bool cancelled() const { return flag_->load(std::memory_order_relaxed); }
    /// Throws Error(Cancelled) once cancel() was called.
    void check() const
    {
        if (cancelled())
            throw Error(ErrorKind::Cancelled, "", "stopped on request");
    }

private:
    std::shared_ptr<std::atomic<bool>> flag_;
};

}  // namespace imprint
