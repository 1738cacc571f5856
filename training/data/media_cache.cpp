// SPDX-License-Identifier: Apache-2.0
// One lock for the list, one for each entry: decoding holds up only those who want the same.
#include "training/data/media_cache.h"

namespace imprint::training {

int64_t DecodedMedia::bytes() const
{
    size_t all = sizeof *this + sound.size() * sizeof(float);
    for (const auto& picture : pictures)
        all += sizeof picture + picture.rgb.size();
    return static_cast<int64_t>(all);
}

std::shared_ptr<const DecodedMedia> MediaCache::get(const std::string& key, const std::function<DecodedMedia()>& decode)
{
    const std::shared_ptr<Entry> found = entry(key);
    const std::lock_guard filling(found->filling);
    if (found->value) {
        touch(*found);
        return found->value;
    }
    try {
        found->value = std::make_shared<const DecodedMedia>(decode());
    } catch (...) {
        drop(key, found);
        throw;
    }
    keep(key, found, found->value->bytes());
    return found->value;
}

int64_t MediaCache::bytes() const
{
    const std::lock_guard lock(mutex_);
    return bytes_;
}

std::shared_ptr<MediaCache::Entry> MediaCache::entry(const std::string& key)
{
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Entry>& found = entries_[key];
    if (!found)
        found = std::make_shared<Entry>();
    return found;
}

void MediaCache::touch(Entry& entry)
{
    const std::lock_guard lock(mutex_);
    if (entry.bytes > 0)  // else it was dropped while somebody waited for it
        recent_.splice(recent_.begin(), recent_, entry.place);
}

void MediaCache::keep(const std::string& key, const std::shared_ptr<Entry>& entry, int64_t bytes)
{
    if (bytes > most_) {
        drop(key, entry);
        return;
    }
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second != entry)
        return;
    recent_.push_front(key);
    entry->place = recent_.begin();
    entry->bytes = bytes;
    bytes_ += bytes;
    while (bytes_ > most_) {
        const auto oldest = entries_.find(recent_.back());
        bytes_ -= oldest->second->bytes;
        oldest->second->bytes = 0;
        entries_.erase(oldest);
        recent_.pop_back();
    }
}

void MediaCache::drop(const std::string& key, const std::shared_ptr<Entry>& entry)
{
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end() && found->second == entry)
        entries_.erase(found);
}

}  // namespace imprint::training
