// SPDX-License-Identifier: Apache-2.0
// The one thing the indexing stages meet at: a queue that is bounded by weight (bytes), can be closed, and can be waited
// on for a limited time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace imprint::jobs {

/// Any number of threads on both ends. An item heavier than the bound still enters an empty queue.
template <typename T>
class BoundedQueue {
public:
    explicit BoundedQueue(int64_t max_weight) : max_weight_(max_weight) { }

    /// Waits for room. False (and the item is dropped) once the queue is closed.
    bool push(T item, int64_t weight = 1)
    {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return closed_ || items_.empty() || weight_ + weight <= max_weight_; });
        if (closed_)
            return false;
        items_.emplace_back(std::move(item), weight);
        weight_ += weight;
        filled_.notify_one();
        return true;
    }

    /// The next item, or nothing when none came in time or the queue is drained; see drained().
    std::optional<T> pop(std::chrono::milliseconds patience)
    {
        std::unique_lock lock(mutex_);
        filled_.wait_for(lock, patience, [&] { return !items_.empty() || finished_ || closed_; });
        if (items_.empty())
            return std::nullopt;
        auto [item, weight] = std::move(items_.front());
        items_.pop_front();
        weight_ -= weight;
        room_.notify_all();
        return std::move(item);
    }

    /// No more items will come; what is queued is still handed out.
    void finish()
    {
        std::scoped_lock lock(mutex_);
        finished_ = true;
        filled_.notify_all();
    }

    /// Lets go of everybody who waits and drops what is queued.
    void close()
    {
        std::deque<std::pair<T, int64_t>> dropped;
        std::scoped_lock lock(mutex_);
        closed_ = true;
        weight_ = 0;
        dropped.swap(items_);
        filled_.notify_all();
        room_.notify_all();
    }

    /// Finished or closed, and empty.
    bool drained() const
    {
        std::scoped_lock lock(mutex_);
        return items_.empty() && (finished_ || closed_);
    }

private:
    const int64_t max_weight_;
    mutable std::mutex mutex_;
    std::condition_variable room_, filled_;
    std::deque<std::pair<T, int64_t>> items_;
    int64_t weight_ = 0;
    bool finished_ = false, closed_ = false;
};

}  // namespace imprint::jobs
