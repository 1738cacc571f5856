// SPDX-License-Identifier: Apache-2.0
// Memory of a process and all its descendants, read from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace imprint::bench
{

struct TreeMemory {
    int64_t resident = 0; ///< bytes, summed over processes: shared pages count once for each
    int64_t proportional = 0; ///< bytes, each shared page divided among those who map it
    int processes = 0;
};

/// Processes that end while being read count as nothing. `proportional` costs a walk of the page tables.
TreeMemory memory_of_tree(pid_t root);

} // namespace imprint::bench
