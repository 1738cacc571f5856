// SPDX-License-Identifier: Apache-2.0
// The processes that train one model together: what they tell each other, and how they notice that one is gone. On c10d, with
// Gloo between CPUs and NCCL between GPUs.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "training/distributed/launch.h"

namespace imprint::training {

struct RanksOptions {
    std::chrono::seconds join{300};    ///< how long the ranks wait for each other at the start
    std::chrono::seconds silence{30};  ///< a rank not heard of for so long is lost
    at::Device device = at::kCPU;      ///< of the tensors; Error(Unsupported) for a GPU in a build without CUDA
};

/// Every rank calls the same functions in the same order; each returns once all have called it. A rank that dies, hangs or
/// leaves ends the others' calls within `silence` and a few seconds: Error(Crashed) whose subject names rank, process and
/// machine. For one thread at a time, but for Sum.
class Ranks {
public:
    Ranks();  ///< alone: nothing is sent
    /// Meets the others. Error(NotFound) naming the ranks that did not come in time, or the store that could not be reached.
    explicit Ranks(const Launch& launch, const RanksOptions& options = {});
    ~Ranks();
    Ranks(const Ranks&) = delete;
    Ranks& operator=(const Ranks&) = delete;

    int rank() const { return rank_; }
    int world() const { return world_; }
    bool first() const { return rank_ == 0; }

    void wait_for_all() const;
    /// Each rank's text, by rank.
    std::vector<std::string> tell(const std::string& text) const;
    /// The ranks' rows, one block below the other in the order of the ranks. own: [counts[rank()], …]; all but the first side and
    /// the type are the same everywhere.
    at::Tensor gather_rows(const at::Tensor& own, const std::vector<int64_t>& counts) const;

    /// A sum over the ranks under way.
    class Sum {
    public:
        /// Returns once the tensor holds the sum: the same bits on every rank.
        void wait();

    private:
        friend class Ranks;
        struct Work;
        std::shared_ptr<Work> work_;
    };
    /// Begins to add up a contiguous tensor in place; it must not be touched until wait(). From any thread, but in the same
    /// order on every rank.
    Sum begin_sum(const at::Tensor& tensor) const;

    /// Tells the others why this rank ends before its time; their calls then end with that reason.
    void leave(const std::string& reason) const noexcept;

private:
    struct Group;
    int rank_ = 0, world_ = 1;
    std::unique_ptr<Group> group_;  // none when alone
};

}  // namespace imprint::training
