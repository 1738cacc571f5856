// SPDX-License-Identifier: Apache-2.0
#include "training/plan.h"

#include <algorithm>

#include "core/base/error.h"

namespace imprint::training {

Plan::Plan(std::shared_ptr<const Sampler> sampler, bool every)
    : sampler_(std::move(sampler)), every_(every), draws_(sampler_->shares().size(), 0)
{
}

std::vector<Task> Plan::tasks(int64_t step)
{
    IMPRINT_ASSERT(step >= 0);
    if (every_) {
        std::vector<Task> all;
        const auto shares = sampler_->shares();
        for (size_t i = 0; i < shares.size(); ++i)
            if (shares[i] > 0)
                all.push_back({i, step, step, shares[i]});
        return all;
    }
    if (step < next_) {
        next_ = 0;
        std::fill(draws_.begin(), draws_.end(), 0);
    }
    for (; next_ < step; ++next_)
        ++draws_[sampler_->choose(next_)];
    const size_t chosen = sampler_->choose(step);
    return {{chosen, step, draws_[chosen], 1}};
}

}  // namespace imprint::training
