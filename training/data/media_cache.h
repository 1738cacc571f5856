// SPDX-License-Identifier: Apache-2.0
// Decoded media kept in memory: a data set that fits there is decoded once, not once a round.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/media/media.h"

namespace imprint::training {

/// Something decoded, before any augmentation.
struct DecodedMedia {
    media::Probe probe;
    std::vector<media::Picture> pictures;
    std::vector<float> sound;

    int64_t bytes() const;  ///< of all it holds
};

/// What was used last stays. Any thread.
class MediaCache {
public:
    /// Keeps at most so many bytes; 0 keeps nothing.
    explicit MediaCache(int64_t most_bytes) : most_(most_bytes) { }
    MediaCache(const MediaCache&) = delete;
    MediaCache& operator=(const MediaCache&) = delete;

    /// What lies under `key`; where nothing does, what `decode` makes, which is kept if it fits. Who wants what another thread
    /// is just decoding waits for it. Throws what `decode` throws, and keeps nothing then.
    std::shared_ptr<const DecodedMedia> get(const std::string& key, const std::function<DecodedMedia()>& decode);

    int64_t bytes() const;

private:
    struct Entry {
        std::mutex filling;  // guards `value`
        std::shared_ptr<const DecodedMedia> value;
        int64_t bytes = 0;  // this and `place` are guarded by the cache's mutex
        std::list<std::string>::iterator place;
    };
    std::shared_ptr<Entry> entry(const std::string& key);
    void touch(Entry& entry);
    void keep(const std::string& key, const std::shared_ptr<Entry>& entry, int64_t bytes);
    void drop(const std::string& key, const std::shared_ptr<Entry>& entry);

    const int64_t most_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;
    std::list<std::string> recent_;  // the kept ones, the last used first
    int64_t bytes_ = 0;
};

}  // namespace imprint::training
