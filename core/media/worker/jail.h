// SPDX-License-Identifier: Apache-2.0
// What the worker gives up before it looks at anybody's file, and the libraries' start, which needs what is given up.
#pragma once

#include <cstdint>

namespace imprint::media
{

/// Starts every library once, so that nothing has to be opened or loaded later, and makes them quiet and
/// single-threaded.
void start_libraries();

/// No core dumps, few descriptors, no new privileges, a low priority.
void give_up_privileges();

/// Lets the process grow by `bytes` of address space and no further. The first call counts.
void limit_memory(int64_t bytes);

} // namespace imprint::media
