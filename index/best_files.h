// SPDX-License-Identifier: Apache-2.0
// The k best files of a stream of scored rows. Private to this folder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "index/vector_index.h"

namespace imprint::index {

/// Keeps the best score of each file that may still be among the k best. Files may come in any order and come again.
class BestFiles {
public:
    explicit BestFiles(int64_t k) : k_(static_cast<size_t>(k)) { }

    void offer(int64_t file, float score)
    {
        if (score <= floor_)
            return;
        if (!found_.empty() && found_.back().file == file) {  // a file's rows mostly stand together
            found_.back().score = std::max(found_.back().score, score);
            return;
        }
        found_.push_back({file, score});
        if (found_.size() >= 4 * k_ + 1024)
            cut();
    }
    void offer(const BestFiles& others)
    {
        for (const VectorIndex::Found& found : others.found_)
            offer(found.file, found.score);
    }
    std::vector<VectorIndex::Found> take()
    {
        cut();
        return std::move(found_);
    }

private:
    void cut()
    {
        std::unordered_map<int64_t, float> best;
        for (const VectorIndex::Found& found : found_) {
            const auto [known, fresh] = best.try_emplace(found.file, found.score);
            if (!fresh)
                known->second = std::max(known->second, found.score);
        }
        found_.clear();
        for (const auto& [file, score] : best)
            found_.push_back({file, score});
        if (found_.size() < k_)
            return;
        const auto last = found_.begin() + static_cast<std::ptrdiff_t>(k_) - 1;
        std::nth_element(found_.begin(), last, found_.end(),
                         [](const auto& a, const auto& b) { return a.score != b.score ? a.score > b.score : a.file < b.file; });
        // What equals the last one stays out later, unless its number is lower: so it must be kept in the running.
        floor_ = std::nextafter(last->score, -std::numeric_limits<float>::infinity());
        found_.resize(k_);
    }

    size_t k_;
    float floor_ = -std::numeric_limits<float>::infinity();
    std::vector<VectorIndex::Found> found_;
};

}  // namespace imprint::index
