// SPDX-License-Identifier: Apache-2.0
// Gathers moments of many files into batches that the encoder serves at full speed. One thread.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "app/jobs/extract.h"

namespace imprint::jobs {

/// Inputs of one shape wait together until they make a batch. What an input's vector is does not depend on its
/// companions (Encoder's promise), so batching is free to follow arrival. A rare shape is not kept waiting for the rest of
/// the run.
class Batcher {
public:
    using Deliver = std::function<void(std::span<const float> vector)>;

    explicit Batcher(Encoder& encoder) : encoder_(encoder) { }

    /// `deliver` is called from a later add() or flush(), or from this one.
    void add(Input input, Deliver deliver);
    /// Encodes everything that waits.
    void flush();
    bool empty() const { return waiting_.empty(); }

private:
    /// Type, width, height and frames (pictures), or type and whole seconds (sounds).
    using Shape = std::tuple<size_t, int64_t, int64_t, int64_t>;
    struct Batch {
        std::vector<Input> inputs;
        std::vector<Deliver> deliveries;
        int64_t bytes = 0;
        int64_t since = 0;  ///< how many inputs had come before its first one
    };
    void run(Batch batch);

    Encoder& encoder_;
    std::map<Shape, Batch> waiting_;
    int64_t bytes_ = 0;
    int64_t arrivals_ = 0;
};

}  // namespace imprint::jobs
