// SPDX-License-Identifier: Apache-2.0
// Who of the ranks is still there: each counts up a key of its own in the common store once a second, and watches the others'.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <torch/csrc/distributed/c10d/Store.hpp>

namespace imprint::training {

/// Owns a thread. Safe to call from any thread.
class Heartbeat {
public:
    /// `store`: a client of its own. `names`: of the ranks, for messages. All ranks' first beats must be in the store already:
    /// see first_beat().
    Heartbeat(c10::intrusive_ptr<c10d::Store> store, int rank, std::vector<std::string> names, std::chrono::seconds silence);
    ~Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

    static void first_beat(c10d::Store& store, int rank);

    /// Error(Crashed) naming the rank that was silent for too long or has left; nothing while all are there.
    void check() const;
    /// After a call between the ranks has failed, for the reason given: finds out who is gone and throws the Error.
    [[noreturn]] void explain(const std::string& reason) const;
    /// Tells the others that this rank ends, and why. Where the store is this process's own it stays until they know.
    void leave(const std::string& reason, bool keep_store) noexcept;

private:
    struct Loss {
        int rank;
        std::string reason;
    };
    void watch(const std::stop_token& stop);
    void beat(int64_t count);
    /// The rank that has been silent the longest, if for at least `silence`.
    std::optional<Loss> silent(std::chrono::steady_clock::duration silence) const;
    [[noreturn]] void refuse(const Loss& loss) const;

    c10::intrusive_ptr<c10d::Store> store_;
    const int rank_;
    const std::vector<std::string> names_;
    const std::chrono::seconds silence_;

    mutable std::mutex mutex_;  // of all below
    std::vector<std::string> counts_;
    std::vector<std::chrono::steady_clock::time_point> heard_;
    std::optional<Loss> loss_;
    bool left_ = false;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

}  // namespace imprint::training
