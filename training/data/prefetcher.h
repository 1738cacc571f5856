// SPDX-License-Identifier: Apache-2.0
// Batches made ahead of the step that trains on them, by threads that share the items of every batch.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "training/data/batch_reader.h"

namespace imprint::training {

/// Owns its threads and joins them. Which batches come, and what is in them, does not depend on the number of threads or on how
/// far ahead they work. Keeps at most `ahead` + 1 steps' batches in memory.
class Prefetcher {
public:
    /// One batch of a step.
    struct Order {
        const BatchReader* reader = nullptr;
        int64_t draw = 0;
        std::optional<ItemRange> part = {};  ///< only these items; without it all
    };
    /// The batches of a step, in order; called by one thread at a time.
    using Plan = std::function<std::vector<Order>(int64_t step)>;

    /// `threads` ≥ 1, `ahead` ≥ 0 steps.
    Prefetcher(Plan plan, int threads, int ahead);
    /// Abandons what is not taken; waits for the items in hand.
    ~Prefetcher();
    Prefetcher(const Prefetcher&) = delete;
    Prefetcher& operator=(const Prefetcher&) = delete;

    /// Waits for the batches of `step`. Steps are taken in order; any other step starts anew from there. Throws what reading
    /// them threw. For one thread.
    std::vector<Batch> take(int64_t step);

private:
    struct Pending {
        Order order;
        Batch batch;
        int64_t begun = 0, done = 0;
        std::exception_ptr error;
        int64_t items() const { return batch.own().count(); }
        bool whole() const { return done == items() || (error && begun == done); }
    };
    struct Step {
        int64_t number = 0;
        std::vector<std::shared_ptr<Pending>> batches;
    };

    void work();
    void plan_ahead(int64_t taken);
    std::shared_ptr<Pending> next_work() const;

    Plan plan_;
    size_t ahead_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Step> steps_;
    bool stopping_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace imprint::training
