// SPDX-License-Identifier: Apache-2.0
#include "training/distributed/heartbeat.h"

#include <algorithm>

#include "core/base/error.h"

namespace imprint::training {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kBeat = 1s;
constexpr auto kSilentAfterFailure = 6s;  // of a rank whose connection broke
constexpr auto kLongestExplanation = 20s;
constexpr auto kStoreStays = 10s;
constexpr const char* kLeavers = "leavers";

std::string beat_key(size_t rank) { return "alive/" + std::to_string(rank); }
std::string left_key(size_t rank) { return "left/" + std::to_string(rank); }

}  // namespace

void Heartbeat::first_beat(c10d::Store& store, int rank) { store.set(beat_key(static_cast<size_t>(rank)), std::string("0")); }

Heartbeat::Heartbeat(c10::intrusive_ptr<c10d::Store> store, int rank, std::vector<std::string> names,
                     std::chrono::seconds silence)
    : store_(std::move(store)), rank_(rank), names_(std::move(names)), silence_(silence), counts_(names_.size()),
      heard_(names_.size(), Clock::now()), thread_([this](const std::stop_token& stop) { watch(stop); })
{
}

Heartbeat::~Heartbeat() = default;

void Heartbeat::watch(const std::stop_token& stop)
{
    for (int64_t count = 1; !stop.stop_requested(); ++count) {
        try {
            beat(count);
        } catch (const std::exception&) {
            // The store itself is gone, and with it the rank or the launcher that held it.
            const std::scoped_lock lock(mutex_);
            if (!loss_ && !left_)
                loss_ = Loss{-1, "cannot be reached any more"};
            return;
        }
        std::unique_lock lock(mutex_);
        if (!loss_ && !left_)
            loss_ = silent(silence_);
        wake_.wait_for(lock, stop, kBeat, [] { return false; });
    }
}

void Heartbeat::beat(int64_t count)
{
    store_->set(beat_key(static_cast<size_t>(rank_)), std::to_string(count));
    const bool somebody_left = store_->add(kLeavers, 0) > 0;
    for (size_t other = 0; other < names_.size(); ++other) {
        if (other == static_cast<size_t>(rank_))
            continue;
        const std::string seen = store_->get_to_str(beat_key(other));
        const std::string note = somebody_left && store_->check({left_key(other)}) ? store_->get_to_str(left_key(other)) : "";
        const std::scoped_lock lock(mutex_);
        if (seen != counts_[other]) {
            counts_[other] = seen;
            heard_[other] = Clock::now();
        }
        if (!note.empty() && !loss_ && !left_)
            loss_ = Loss{static_cast<int>(other), "ended: " + note};
    }
}

std::optional<Heartbeat::Loss> Heartbeat::silent(Clock::duration silence) const
{
    size_t longest = 0;
    Clock::duration age{};
    for (size_t other = 0; other < names_.size(); ++other)
        if (other != static_cast<size_t>(rank_) && Clock::now() - heard_[other] > age) {
            longest = other;
            age = Clock::now() - heard_[other];
        }
    if (age < silence)
        return std::nullopt;
    return Loss{static_cast<int>(longest),
                "was lost: nothing was heard of it for "
                    + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()) + " s"};
}

void Heartbeat::refuse(const Loss& loss) const
{
    const std::string who = loss.rank < 0 ? "the store that the ranks meet at (" + names_.front() + ", or the launcher)"
                                          : names_[static_cast<size_t>(loss.rank)];
    throw Error(ErrorKind::Crashed, who, loss.reason, "Every rank has ended; resume from the run's last state");
}

void Heartbeat::check() const
{
    const std::scoped_lock lock(mutex_);
    if (loss_)
        refuse(*loss_);
}

void Heartbeat::explain(const std::string& reason) const
{
    for (const auto begun = Clock::now(); Clock::now() - begun < kLongestExplanation; std::this_thread::sleep_for(100ms)) {
        const std::scoped_lock lock(mutex_);
        if (loss_)
            refuse(*loss_);
        if (const auto loss = silent(kSilentAfterFailure))
            refuse(*loss);
    }
    throw Error(ErrorKind::Crashed, "the connection between the ranks", "broke: " + reason,
                "Every rank is still there: look at the network, and resume from the run's last state");
}

void Heartbeat::leave(const std::string& reason, bool keep_store) noexcept
{
    {
        const std::scoped_lock lock(mutex_);
        left_ = true;
    }
    thread_.request_stop();
    wake_.notify_all();
    if (thread_.joinable())
        thread_.join();
    try {
        store_->set(left_key(static_cast<size_t>(rank_)), reason);
        store_->add(kLeavers, 1);
        const auto all = static_cast<int64_t>(names_.size());
        for (const auto begun = Clock::now(); keep_store && Clock::now() - begun < kStoreStays && store_->add(kLeavers, 0) < all;)
            std::this_thread::sleep_for(100ms);
    } catch (const std::exception&) {
        // Nobody is there to be told.
    }
}

}  // namespace imprint::training
