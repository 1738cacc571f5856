// SPDX-License-Identifier: Apache-2.0
// Two passes over one list.
#include "app/jobs/work_list.h"

namespace imprint::jobs {

const Candidate* WorkList::take()
{
    const std::scoped_lock lock(mutex_);
    if (std::filesystem::path now = control_.looked_at(); now != looked_at_) {
        looked_at_ = std::move(now);
        next_looked_at_ = 0;
    }
    for (; !looked_at_.empty() && next_looked_at_ < files_.size(); ++next_looked_at_)
        if (!taken_[next_looked_at_] && lies_below(files_[next_looked_at_].path, looked_at_.native()))
            return take_at(next_looked_at_);
    while (next_ < files_.size() && taken_[next_])
        ++next_;
    return next_ < files_.size() ? take_at(next_) : nullptr;
}

const Candidate* WorkList::take_at(size_t place)
{
    taken_[place] = 1;
    return &files_[place];
}

}  // namespace imprint::jobs
