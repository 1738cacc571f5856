// SPDX-License-Identifier: Apache-2.0
// The walk, the tries, the record.
#include "training/data/sample_reader.h"

#include <bit>
#include <utility>

#include "core/base/error.h"
#include "training/data/item_draws.h"

namespace imprint::training {
namespace {

constexpr uint64_t kOrderPurpose = 0x0dde12, kReplacePurpose = 0x5b5717;
constexpr int kTriesPerItem = 64;

bool concerns_the_sample(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::Malformed:
    case ErrorKind::Unsupported:
    case ErrorKind::NotFound:
    case ErrorKind::Permission:
    case ErrorKind::LimitExceeded:
    case ErrorKind::Crashed:
    case ErrorKind::Io:
        return true;
    case ErrorKind::Usage:
    case ErrorKind::Busy:
    case ErrorKind::DiskFull:
    case ErrorKind::Cancelled:
        return false;
    }
    return false;
}

}  // namespace

int64_t shuffled(int64_t position, int64_t size, uint64_t seed)
{
    IMPRINT_ASSERT(position >= 0 && size > 0);
    const auto round_of_all = static_cast<uint64_t>(position / size);
    auto value = static_cast<uint64_t>(position % size);
    const int half = (std::bit_width(static_cast<uint64_t>(size - 1)) + 1) / 2;  // bits of each side
    const uint64_t mask = (uint64_t{1} << half) - 1;
    do {
        uint64_t left = value >> half, right = value & mask;
        for (uint64_t turn = 0; turn < 4; ++turn) {
            const uint64_t mixed = Draws(seed, round_of_all, kOrderPurpose + turn * 0x10000000ull + (right << 32)).bits() & mask;
            const uint64_t next = left ^ mixed;
            left = right;
            right = next;
        }
        value = left << half | right;
    } while (value >= static_cast<uint64_t>(size));
    return static_cast<int64_t>(value);
}

SampleReader::SampleReader(const Source& source, ReaderOptions options)
    : source_(source), options_(std::move(options)),
      seed_(Draws(options_.seed, objective_key(options_.objective), kOrderPurpose).bits())
{
    IMPRINT_ASSERT(options_.batch > 0 && source.size() > 0);
}

int64_t SampleReader::choice(int64_t draw, int64_t index, int attempt) const
{
    IMPRINT_ASSERT(draw >= 0 && index >= 0 && index < options_.batch);
    const int64_t position = draw * options_.batch + index;
    if (attempt == 0)
        return shuffled(position, source_.size(), seed_);
    Draws draws(seed_, static_cast<uint64_t>(position), kReplacePurpose);
    int64_t sample = 0;
    for (int i = 0; i < attempt; ++i)
        sample = draws.below(source_.size());
    return sample;
}

int64_t SampleReader::read(int64_t draw, int64_t index, const std::function<void(const Sample&)>& use)
{
    std::string last;
    for (int attempt = 0; attempt < kTriesPerItem; ++attempt) {
        const int64_t chosen = choice(draw, index, attempt);
        if (const auto reason = known(chosen)) {
            last = *reason;
            continue;
        }
        try {
            use(source_.sample(chosen));
            return chosen;
        } catch (const Error& error) {
            if (!concerns_the_sample(error.kind()))
                throw;
            last = error.what();
            if (record(chosen, last)) {
                const std::lock_guard lock(mutex_);
                news_.emplace(chosen, last);
            }
        }
    }
    throw Error(ErrorKind::LimitExceeded, source_.name(),
                std::to_string(kTriesPerItem) + " tries for one item met no readable sample; the last one: " + last,
                "Most of the data cannot be read: check it");
}

std::optional<std::string> SampleReader::known(int64_t sample) const
{
    const std::lock_guard lock(mutex_);
    const auto found = unreadable_.find(sample);
    return found == unreadable_.end() ? std::nullopt : std::optional(found->second);
}

bool SampleReader::record(int64_t sample, const std::string& reason)
{
    size_t count = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!unreadable_.emplace(sample, reason).second)
            return false;
        count = unreadable_.size();
    }
    if (options_.log)
        options_.log("unreadable sample " + std::to_string(count) + " of " + source_.name() + ": " + reason);
    if (static_cast<int64_t>(count) > options_.most_unreadable)
        throw Error(ErrorKind::LimitExceeded, source_.name(),
                    std::to_string(count) + " samples cannot be read, where " + std::to_string(options_.most_unreadable)
                        + " are allowed; the last one: " + reason,
                    "Mend the data, or raise the limit in the recipe");
    return true;
}

std::map<int64_t, std::string> SampleReader::unreadable() const
{
    const std::lock_guard lock(mutex_);
    return unreadable_;
}

void SampleReader::restore(const std::map<int64_t, std::string>& unreadable)
{
    const std::lock_guard lock(mutex_);
    unreadable_ = unreadable;
}

std::map<int64_t, std::string> SampleReader::news()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, {});
}

void SampleReader::learn(const std::map<int64_t, std::string>& unreadable)
{
    for (const auto& [sample, reason] : unreadable)
        record(sample, reason);
}

}  // namespace imprint::training
