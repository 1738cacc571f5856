// SPDX-License-Identifier: Apache-2.0
#include "training/distributed/gradient_sum.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/base/error.h"

namespace imprint::training {

GradientSum::GradientSum(const Ranks& ranks, std::vector<at::Tensor> parameters, size_t bucket_bytes)
    : ranks_(ranks), parameters_(std::move(parameters)), slots_(parameters_.size())
{
    if (ranks_.world() == 1 || parameters_.empty())
        return;
    const auto options = parameters_.front().options().requires_grad(false);
    size_t bytes = 0;
    for (size_t place = 0; place < parameters_.size(); ++place) {
        IMPRINT_ASSERT(parameters_[place].dtype() == options.dtype() && parameters_[place].device() == options.device());
        if (buckets_.empty() || bytes + parameters_[place].nbytes() > bucket_bytes) {
            buckets_.emplace_back();
            bytes = 0;
        }
        bytes += parameters_[place].nbytes();
        slots_[place].bucket = buckets_.size() - 1;
        buckets_.back().places.push_back(place);
    }
    for (Bucket& bucket : buckets_) {
        int64_t size = 0;
        for (const size_t place : bucket.places) {
            slots_[place].begin = size;
            size += parameters_[place].numel();
        }
        for (const size_t place : bucket.places)
            slots_[place].flag = size++;
        bucket.flat = at::zeros({size}, options);
    }
    stop_ = at::zeros({1}, options);
}

void GradientSum::begin(bool stop)
{
    wants_ = stop;
    for (Bucket& bucket : buckets_)
        bucket.waiting = bucket.places.size();
    next_ = 0;
}

void GradientSum::ready(size_t place)
{
    if (buckets_.empty())
        return;
    const at::NoGradGuard guard;
    const Slot& slot = slots_[place];
    Bucket& bucket = buckets_[slot.bucket];
    const at::Tensor& parameter = parameters_[place];
    at::Tensor own = bucket.flat.narrow(0, slot.begin, parameter.numel());
    const bool touched = parameter.grad().defined();
    if (touched)
        own.view_as(parameter).copy_(parameter.grad());
    else
        own.zero_();
    bucket.flat[slot.flag] = touched ? 1 : 0;

    const std::scoped_lock lock(mutex_);
    IMPRINT_ASSERT(bucket.waiting > 0);
    --bucket.waiting;
    for (; next_ < buckets_.size() && buckets_[next_].waiting == 0; ++next_)
        buckets_[next_].sum = ranks_.begin_sum(buckets_[next_].flat);
}

bool GradientSum::finish()
{
    if (buckets_.empty())
        return wants_;
    const at::NoGradGuard guard;
    IMPRINT_ASSERT(next_ == buckets_.size());
    stop_.fill_(wants_ ? 1 : 0);
    Ranks::Sum votes = ranks_.begin_sum(stop_);
    for (Bucket& bucket : buckets_) {
        bucket.sum.wait();
        const at::Tensor flags = bucket.flat
                                     .narrow(0, bucket.flat.size(0) - static_cast<int64_t>(bucket.places.size()),
                                             static_cast<int64_t>(bucket.places.size()))
                                     .to(at::kCPU, at::kDouble);
        for (size_t i = 0; i < bucket.places.size(); ++i) {
            at::Tensor& parameter = parameters_[bucket.places[i]];
            const Slot& slot = slots_[bucket.places[i]];
            // A view: the bucket is written again only after the optimiser has let go of the gradients.
            parameter.mutable_grad() = flags[static_cast<int64_t>(i)].item<double>() > 0
                ? bucket.flat.narrow(0, slot.begin, parameter.numel()).view_as(parameter)
                : at::Tensor();
        }
    }
    votes.wait();
    return stop_.item<double>() > 0;
}

}  // namespace imprint::training
