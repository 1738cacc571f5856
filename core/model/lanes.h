// SPDX-License-Identifier: Apache-2.0
// A fixed number of threads that share work, each with passes of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace imprint::model {

/// What a lane computes never depends on the other lanes: everything below it runs on its thread alone, products included. So
/// work that is cut the same way gives the same bits on any number of lanes.
class Lanes {
public:
    /// `count` ≥ 1; 0 takes the processor's cores, at most kMost.
    explicit Lanes(int count = 0);
    ~Lanes();
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;

    static constexpr int kMost = 8;

    int count() const { return count_; }
    /// Calls body(0) … body(n − 1), each once, on up to count() threads; returns when all have returned. The first
    /// exception is thrown on. From the first call on, libtorch uses one thread for each operator in the whole process: two
    /// threads on one product change its last bits, and on shared cores often take longer.
    void each(size_t n, const std::function<void(size_t)>& body) const;

private:
    struct Arena;
    int count_;
    std::unique_ptr<Arena> arena_;
};

/// How many lanes to take, by a measurement: tries 1, 2, 4 … and `most`, as long as one more try brings a tenth more, and
/// returns the best. `rate`: what that many lanes get done a second.
int fastest_lane_count(int most, const std::function<double(int lanes)>& rate);

}  // namespace imprint::model
