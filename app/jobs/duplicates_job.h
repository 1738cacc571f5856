// SPDX-License-Identifier: Apache-2.0
// Files that show or sound the same.
#pragma once

#include "app/jobs/jobs.h"

namespace imprint::jobs {

struct Duplicates {
    std::vector<std::vector<index::FileRow>> groups;  ///< two files or more each, the largest (pixels, then bytes) first
    int64_t compared = 0;                             ///< pairs that were looked at closely
    std::vector<index::Failure> failed;               ///< could not be read now, so not compared
};

/// Finds copies, re-encoded and resized ones included. Whatever is near by its vectors is decoded and looked at: pictures as a
/// whole, videos of equal length at five places of which those that are all of one colour (a black beginning) say nothing;
/// sounds of equal length by the vectors of all their moments and by their waves. `progress` is told files done and files in all.
/// Throws as search() does.
Duplicates find_duplicates(Engine& engine, const std::function<void(int64_t, int64_t)>& progress = {},
                           const CancelToken& cancel = {});

}  // namespace imprint::jobs
