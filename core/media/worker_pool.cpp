// SPDX-License-Identifier: Apache-2.0
// Lending and taking back worker processes.
#include "core/media/worker_pool.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/base/error.h"

namespace imprint::media
{
namespace
{

// Libraries leak and heaps fragment; a start costs a few hundredths of a second.
constexpr int kServesAtMost = 2000;

} // namespace

WorkerPool::WorkerPool(std::filesystem::path program, int workers)
    : program_(std::move(program))
    , most_(workers > 0 ? workers : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())))
{
}

void WorkerPool::start()
{
    const std::lock_guard lock(mutex_);
    try {
        for (; alive_ < most_; ++alive_)
            idle_.push_back(std::make_unique<WorkerProcess>(program_));
    } catch (const Error&) {
        return;
    }
}

WorkerPool::Loan WorkerPool::borrow(const std::string& subject, const CancelToken& cancel)
{
    std::unique_lock lock(mutex_);
    for (;;) {
        if (cancel.cancelled())
            throw Error(ErrorKind::Cancelled, subject, "stopped on request");
        if (!idle_.empty()) {
            auto worker = std::move(idle_.back());
            idle_.pop_back();
            return Loan(*this, std::move(worker));
        }
        if (alive_ < most_)
            break;
        freed_.wait_for(lock, std::chrono::milliseconds(50));
    }
    ++alive_;
    lock.unlock();
    try {
        return Loan(*this, std::make_unique<WorkerProcess>(program_));
    } catch (...) {
        forget_one();
        throw;
    }
}

WorkerPool::Loan::~Loan()
{
    if (!worker_)
        return;
    worker_.reset(); // kills and reaps before its place is free again
    pool_->forget_one();
}

void WorkerPool::Loan::give_back()
{
    if (worker_->served() < kServesAtMost)
        pool_->take_back(std::move(worker_));
}

void WorkerPool::take_back(std::unique_ptr<WorkerProcess> worker)
{
    {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(worker));
    }
    freed_.notify_one();
}

void WorkerPool::forget_one()
{
    {
        const std::lock_guard lock(mutex_);
        --alive_;
    }
    freed_.notify_one();
}

} // namespace imprint::media
