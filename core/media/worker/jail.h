// SPDX-License-Identifier: Apache-2.0
// What the worker gives up before it looks at anybody's file, and the libraries' start, which needs what is given up.
#pragma once

#include <cstdint>
#include <string>

namespace imprint::media
{

/// Starts every library once, so that nothing has to be opened or loaded later, and makes them quiet and
/// single-threaded.
void start_libraries();

/// Their names and versions, in one line.
std::string library_versions();

/// No core dumps, no new privileges, a low priority.
void give_up_privileges();

/// What a worker may use up before somebody has to look again.
struct Allowance {
    int64_t memory = 0; ///< bytes of address space to grow by, and the largest memory file
    uint32_t cpu_seconds = 0; ///< of processor time in all
    int descriptors = 0; ///< the lowest number that can no longer be opened
};

/// Sets the limits, or keeps those that are lower already, and closes the door behind: from here on nothing can be opened, reached or started (see
/// refuse_other_system_calls). To be called once, before the first byte of a file is read. Under a sanitizer, which needs
/// terabytes and opens files itself, it does nothing. Throws Error(Io) where the kernel cannot do that.
void lock_in(const Allowance& allowance);

} // namespace imprint::media
