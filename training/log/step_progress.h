// SPDX-License-Identifier: Apache-2.0
// What the console says while a run goes on: how far, how fast, how long still.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace imprint::training {

/// Speeds are means over the last `kWindow` steps: alternating objectives differ too much for the last step to tell.
/// For one thread at a time. Takes no clock of its own.
class StepProgress {
public:
    static constexpr size_t kWindow = 200;

    /// `done` of `total` steps are behind the run (a resume begins past 0).
    StepProgress(int64_t done, int64_t total) : done_(done), total_(total) { }

    /// One more step: what its batch held and the seconds it took, data included.
    void add(int64_t samples, int64_t tokens, double seconds);

    int64_t done() const { return done_; }
    double samples_per_second() const;  ///< 0 before the first step
    double tokens_per_second() const;
    std::optional<double> seconds_left() const;  ///< nothing before the first step

    /// "step 120/1300 (9 %), 412 samples/s, 20.2k tokens/s, 12:31 left".
    std::string line() const;

private:
    struct Step {
        int64_t samples, tokens;
        double seconds;
    };
    Step sum() const;

    std::deque<Step> recent_;
    int64_t done_, total_;
};

/// Four significant places at most, thousands as k, millions as M: "0.25", "18.4", "412", "20.2k", "1.31M".
std::string short_number(double value);
/// "0:07", "12:31", "1:02:05", "3 d 4 h".
std::string short_time(double seconds);

}  // namespace imprint::training
