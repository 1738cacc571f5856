// SPDX-License-Identifier: Apache-2.0
// How far an index run is.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <utility>

#include "app/jobs/jobs.h"

namespace imprint::jobs {

/// Tells the caller how far things are, at most ten times a second.
class Reporter {
public:
    /// `tell` must outlive this.
    explicit Reporter(const std::function<void(const IndexProgress&)>& tell) : tell_(tell) { }

    IndexProgress state;

    void say(bool now = false)
    {
        const auto time = Clock::now();
        if (!tell_ || (!now && time - last_ < std::chrono::milliseconds(100)))
            return;
        last_ = time;
        state.seconds = seconds();
        const int64_t worked = state.indexed + state.failed;
        history_.push_back({time, worked});
        while (history_.size() > 2 && time - history_.front().first > std::chrono::seconds(5))
            history_.pop_front();
        const double span = std::chrono::duration<double>(time - history_.front().first).count();
        state.files_per_second = span > 0 ? static_cast<double>(worked - history_.front().second) / span : 0;
        tell_(state);
    }

    double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

private:
    using Clock = std::chrono::steady_clock;

    const std::function<void(const IndexProgress&)>& tell_;
    const Clock::time_point start_ = Clock::now();
    Clock::time_point last_{};
    std::deque<std::pair<Clock::time_point, int64_t>> history_;
};

}  // namespace imprint::jobs
