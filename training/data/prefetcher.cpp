// SPDX-License-Identifier: Apache-2.0
#include "training/data/prefetcher.h"

#include <algorithm>

#include "core/base/error.h"

namespace imprint::training {

Prefetcher::Prefetcher(Plan plan, int threads, int ahead) : plan_(std::move(plan)), ahead_(static_cast<size_t>(ahead))
{
    IMPRINT_ASSERT(threads >= 1 && ahead >= 0);
    for (int i = 0; i < threads; ++i)
        threads_.emplace_back([this] { work(); });
}

Prefetcher::~Prefetcher()
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
}

// Called with the lock held.
void Prefetcher::plan_ahead(int64_t taken)
{
    if (!steps_.empty() && steps_.front().number != taken)
        steps_.clear();  // batches in hand finish and are dropped
    while (steps_.size() <= ahead_) {
        Step step{taken + static_cast<int64_t>(steps_.size()), {}};
        for (const Order& order : plan_(step.number)) {
            auto pending = std::make_shared<Pending>();
            pending->order = order;
            pending->batch.draw = order.draw;
            pending->batch.resolution = order.reader->resolution(order.draw);
            pending->batch.part = order.part;
            pending->batch.examples.resize(static_cast<size_t>(order.reader->batch()));
            step.batches.push_back(std::move(pending));
        }
        steps_.push_back(std::move(step));
    }
}

std::shared_ptr<Prefetcher::Pending> Prefetcher::next_work() const
{
    for (const Step& step : steps_)
        for (const auto& pending : step.batches)
            if (!pending->error && pending->begun < pending->items())
                return pending;
    return nullptr;
}

void Prefetcher::work()
{
    std::unique_lock lock(mutex_);
    while (true) {
        std::shared_ptr<Pending> pending;
        changed_.wait(lock, [&] { return stopping_ || (pending = next_work()); });
        if (stopping_)
            return;
        const int64_t index = pending->batch.own().first + pending->begun++;
        lock.unlock();
        Example example;
        std::exception_ptr error;
        try {
            example = pending->order.reader->example(pending->order.draw, index);
        } catch (...) {
            error = std::current_exception();
        }
        lock.lock();
        pending->batch.examples[static_cast<size_t>(index)] = std::move(example);
        ++pending->done;
        if (error && !pending->error)
            pending->error = error;
        if (pending->whole())
            changed_.notify_all();
    }
}

std::vector<Batch> Prefetcher::take(int64_t step)
{
    std::unique_lock lock(mutex_);
    plan_ahead(step);
    changed_.notify_all();
    const std::vector<std::shared_ptr<Pending>> wanted = steps_.front().batches;
    changed_.wait(lock, [&] { return std::all_of(wanted.begin(), wanted.end(), [](const auto& p) { return p->whole(); }); });
    std::vector<Batch> batches;
    for (const auto& pending : wanted) {
        if (pending->error)
            std::rethrow_exception(pending->error);
        batches.push_back(std::move(pending->batch));
    }
    steps_.pop_front();
    return batches;
}

}  // namespace imprint::training
