// SPDX-License-Identifier: Apache-2.0
// The ranks' gradients added up in fixed buckets, while the backward pass still makes the next ones. (Li et al. 2020, "PyTorch
// Distributed: Experiences on Accelerating Data Parallel Training".)
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "training/distributed/ranks.h"

namespace imprint::training {

/// Which parameter lies in which bucket, and the order in which buckets are sent, are fixed when it is made: every rank sends the
/// same, and a resumed run adds in the order of an unbroken one. Alone it does nothing.
class GradientSum {
public:
    /// `parameters`: all that may get gradients, in the order in which the backward pass is expected to be done with them.
    GradientSum(const Ranks& ranks, std::vector<at::Tensor> parameters, size_t bucket_bytes = size_t{16} << 20);

    /// Before the step's last backward pass. `stop`: this rank wants the run to stop after this step.
    void begin(bool stop);
    /// The gradient of parameter `place` is final on this rank; undefined where this rank's passes did not touch it. From any
    /// thread, once per parameter.
    void ready(size_t place);
    /// Waits for the sums and puts them in place of the gradients; a parameter that no rank has touched is left without one.
    /// Every parameter must be ready. Returns whether any rank wants to stop: the same on all of them.
    bool finish();

    size_t parameters() const { return parameters_.size(); }

private:
    struct Bucket {
        at::Tensor flat;             // gradients, one after the other; then a flag each: touched or not
        std::vector<size_t> places;  // of its parameters
        size_t waiting = 0;          // gradients that are not ready
        Ranks::Sum sum;
    };
    struct Slot {
        size_t bucket = 0;
        int64_t begin = 0, flag = 0;  // in the bucket's flat tensor
    };

    const Ranks& ranks_;
    std::vector<at::Tensor> parameters_;
    std::vector<Slot> slots_;
    std::vector<Bucket> buckets_;
    bool wants_ = false;
    at::Tensor stop_;  // [1]
    std::mutex mutex_;
    size_t next_ = 0;  // the bucket that is sent next
};

}  // namespace imprint::training
