// SPDX-License-Identifier: Apache-2.0
// Which file comes next.
#pragma once

#include <mutex>
#include <vector>

#include "app/jobs/control.h"
#include "app/jobs/scan.h"

namespace imprint::jobs {

/// Hands out each file once, in their order, those below what the user looks at first. Any thread.
class WorkList {
public:
    /// `files` must outlive this.
    WorkList(const std::vector<Candidate>& files, IndexControl control)
        : files_(files), control_(std::move(control)), taken_(files.size())
    {
    }

    /// Null when all are taken.
    const Candidate* take();

private:
    const Candidate* take_at(size_t place);

    const std::vector<Candidate>& files_;
    const IndexControl control_;
    std::mutex mutex_;  // guards the rest
    std::vector<char> taken_;
    size_t next_ = 0;
    std::filesystem::path looked_at_;
    size_t next_looked_at_ = 0;  ///< none before it is below looked_at_ and not taken
};

}  // namespace imprint::jobs
