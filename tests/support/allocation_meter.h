// SPDX-License-Identifier: Apache-2.0
// How much tensor memory a piece of work holds at its peak.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>

namespace imprint::tests {

/// Counts what libtorch's CPU allocator gives and takes back on this thread (autograd's backward pass included, which runs
/// on the calling thread). Exact and free of noise, unlike the resident size; buffers inside MKL are not seen.
class AllocationMeter : public c10::MemoryReportingInfoBase {
public:
    /// Runs `work` and returns the highest sum of live bytes that it allocated.
    static int64_t peak_of(const std::function<void()>& work)
    {
        const auto meter = std::make_shared<AllocationMeter>();
        const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
        work();
        return meter->peak_;
    }

    void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) override
    {
        live_ += size;
        peak_ = std::max(peak_, live_);
    }
    void reportOutOfMemory(int64_t, size_t, size_t, c10::Device) override { }
    bool memoryProfilingEnabled() const override { return true; }

private:
    int64_t live_ = 0, peak_ = 0;
};

}  // namespace imprint::tests
