// SPDX-License-Identifier: Apache-2.0
// An inverted file in the making. Private to this folder.
#pragma once

#include <future>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>

#include "core/base/cancel.h"
#include "index/coarse.h"

namespace imprint::index {

/// Builds and tunes in a thread of its own, which it joins; destroying it stops the work within about a second.
class CoarseBuilder {
public:
    /// `edition` says what the rows are of. Without probes, moments spread over the rows stand in for questions.
    CoarseBuilder(HalfRows rows, Modality modality, std::pair<int64_t, int64_t> edition, const Vectors& probes);
    ~CoarseBuilder();
    CoarseBuilder(const CoarseBuilder&) = delete;
    CoarseBuilder& operator=(const CoarseBuilder&) = delete;

    bool done() const;
    /// Throws Error(Cancelled).
    void wait(const CancelToken& cancel) const;
    /// Once, when done. Throws what the building threw.
    std::unique_ptr<Coarse> take() { return result_.get(); }

    Modality modality() const { return modality_; }
    std::pair<int64_t, int64_t> edition() const { return edition_; }

private:
    Modality modality_;
    std::pair<int64_t, int64_t> edition_;
    std::promise<std::unique_ptr<Coarse>> promise_;
    std::future<std::unique_ptr<Coarse>> result_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace imprint::index
