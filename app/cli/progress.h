// SPDX-License-Identifier: Apache-2.0
// Progress of indexing on standard error: one line that is rewritten on a terminal, otherwise a line every few seconds.
#pragma once

#include <chrono>
#include <string>

#include "app/jobs/jobs.h"

namespace imprint::cli {

class ProgressLine {
public:
    ProgressLine();
    ~ProgressLine();  ///< leaves the terminal on a fresh line
    void show(const jobs::IndexProgress& progress);

private:
    const bool terminal_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point last_;
};

/// "indexing 120 of 1000 files, 14.2 files/s, 1:02 left, 340 moments, 3 failed".
std::string progress_text(const jobs::IndexProgress& progress);

}  // namespace imprint::cli
