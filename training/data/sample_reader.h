// SPDX-License-Identifier: Apache-2.0
// Which sample of a source each place of a run's draws takes, and what happens where that sample cannot be read: it is counted,
// logged, recorded and replaced by one that depends on seed, draw and index alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "training/data/source.h"

namespace imprint::training {

/// Position `position`, from 0, of an endless walk over 0 … size − 1 that meets everything once before anything twice, each time
/// in another order. A pure function: no list is kept, however long the data (a Feistel network walked until it lands inside).
int64_t shuffled(int64_t position, int64_t size, uint64_t seed);

struct ReaderOptions {
    uint64_t seed = 1;
    std::string objective;                        ///< part of the seed: two objectives over one source draw apart
    int64_t batch = 1;                            ///< items of one draw
    int64_t most_unreadable = 100;                ///< different samples; one more ends the run
    std::function<void(const std::string&)> log;  ///< one line per newly met unreadable sample, from any thread; may be empty
};

/// Methods may be called from any thread; `read` calls `use` on the caller's.
class SampleReader {
public:
    /// The source must outlive the reader.
    SampleReader(const Source& source, ReaderOptions options);

    /// The sample that item `index` of draw `draw` (the objective's own count, from 0) takes at its `attempt`-th try: the walk's
    /// own at 0, then uniform ones.
    int64_t choice(int64_t draw, int64_t index, int attempt = 0) const;

    /// Gives the item's sample to `use`, which decodes it. Where either throws Error(Malformed, Unsupported, NotFound,
    /// Permission, LimitExceeded, Crashed, Io), the next try follows; other errors pass. Error(LimitExceeded) naming the source
    /// and the last failure once more than `most_unreadable` samples have failed. Returns the sample's number.
    int64_t read(int64_t draw, int64_t index, const std::function<void(const Sample&)>& use);

    /// Unreadable samples so far and why: what a run's state must hold, since a resume has to skip the same ones.
    std::map<int64_t, std::string> unreadable() const;
    /// Takes up what an earlier run has found; its samples are passed over without another try.
    void restore(const std::map<int64_t, std::string>& unreadable);
    /// Those that this reader has met since the last call, for readers of the same data in other processes…
    std::map<int64_t, std::string> news();
    /// … and what such a reader has met: it is logged and counts here as if it had been met here.
    void learn(const std::map<int64_t, std::string>& unreadable);

private:
    std::optional<std::string> known(int64_t sample) const;  ///< why it cannot be read
    bool record(int64_t sample, const std::string& reason);  ///< whether it is new

    const Source& source_;
    ReaderOptions options_;
    uint64_t seed_;
    mutable std::mutex mutex_;
    std::map<int64_t, std::string> unreadable_, news_;
};

}  // namespace imprint::training
