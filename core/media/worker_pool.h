// SPDX-License-Identifier: Apache-2.0
// Lends worker processes to threads: at most so many, started when needed, the last used one first.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/media/worker_process.h"

namespace imprint::media
{

class WorkerPool
{
public:
    /// `workers` 0: one per processor.
    WorkerPool(std::filesystem::path program, int workers);

    /// A borrowed worker. Destroyed without give_back(), it ends the process.
    class Loan
    {
    public:
        Loan(WorkerPool& pool, std::unique_ptr<WorkerProcess> worker)
            : pool_(&pool)
            , worker_(std::move(worker))
        {
        }
        Loan(Loan&& other) noexcept = default;
        Loan& operator=(Loan&&) = delete;
        ~Loan();
        WorkerProcess& worker() { return *worker_; }
        void give_back();

    private:
        WorkerPool* pool_;
        std::unique_ptr<WorkerProcess> worker_;
    };

    /// Starts all workers now, and does not wait until they are ready. What cannot start is left to borrow(), which says why.
    void start();

    /// Blocks until a worker is free. Throws Error(Cancelled) naming `subject`, or what starting a process threw.
    Loan borrow(const std::string& subject, const CancelToken& cancel);

private:
    void take_back(std::unique_ptr<WorkerProcess> worker);
    void forget_one();

    const std::filesystem::path program_;
    const int most_;
    std::mutex mutex_;
    std::condition_variable freed_;
    std::vector<std::unique_ptr<WorkerProcess>> idle_; // guarded by mutex_
    int alive_ = 0; // guarded by mutex_; idle and lent
};

} // namespace imprint::media
