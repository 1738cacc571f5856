// SPDX-License-Identifier: Apache-2.0
// A fixed number of threads that share the work of one step.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace imprint::training {

/// What a lane computes never depends on the other lanes, so results depend on how many lanes there are and never on how
/// fast each of them is.
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
    /// exception is thrown on.
    void each(size_t n, const std::function<void(size_t)>& body) const;

private:
    struct Arena;
    int count_;
    std::unique_ptr<Arena> arena_;
};

}  // namespace imprint::training
