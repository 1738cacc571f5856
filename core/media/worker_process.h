// SPDX-License-Identifier: Apache-2.0
// One imprint-decode child process as its parent sees it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "core/base/cancel.h"
#include "core/media/protocol.h"

namespace imprint::media
{

/// Owns a file descriptor.
class Descriptor
{
public:
    Descriptor() = default;
    explicit Descriptor(int value)
        : value_(value)
    {
    }
    ~Descriptor() { reset(); }
    Descriptor(Descriptor&& other) noexcept
        : value_(other.release())
    {
    }
    Descriptor& operator=(Descriptor&& other) noexcept;
    int get() const { return value_; }
    explicit operator bool() const { return value_ >= 0; }
    int release();
    void reset();

private:
    int value_ = -1;
};

/// A running worker. Not for use by two threads at once; may be created, used and destroyed on different threads.
class WorkerProcess
{
public:
    /// Starts the program. Throws Error when that fails.
    explicit WorkerProcess(const std::filesystem::path& program);
    /// Kills and reaps.
    ~WorkerProcess();
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;

    enum class Outcome {
        Answered, ///< `reply` is filled; `payload` holds the memfd if one came
        Retired, ///< the worker was gone before it took the request: a fresh one will serve it
        Died, ///< it crashed over this request; `cause` says how
        OutOfMemory, ///< it ended because it could not allocate
        TimedOut, ///< no answer in time
        Cancelled,
    };
    struct Exchange {
        Outcome outcome = Outcome::Died;
        protocol::Reply reply = {};
        Descriptor payload;
        std::string cause;
    };

    /// Sends one request with the file's descriptor and waits for the answer. After anything but Answered the process
    /// is dead or must be destroyed.
    Exchange exchange(const protocol::Request& request, int file, double timeout, const CancelToken& cancel);

    int served() const { return served_; }

private:
    Exchange ended();
    int reap(bool kill_first);

    pid_t pid_ = -1;
    Descriptor socket_;
    int served_ = 0;
};

} // namespace imprint::media
