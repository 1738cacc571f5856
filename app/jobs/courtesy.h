// SPDX-License-Identifier: Apache-2.0
// Working behind somebody's back without being in the way.
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/cancel.h"

namespace imprint::jobs {

/// The calling thread, and what it starts, gives way to all others: nice 10, and the disk when nobody else wants it.
void lower_priority();

/// Whether the machine runs out of memory: less than a sixteenth of it, and less than 1 GiB, could be had without swapping.
/// False where nobody says.
bool memory_is_short(const std::filesystem::path& meminfo = "/proc/meminfo");

/// Waits for memory, at most `seconds`: whoever waits for ever would never give back what he holds.
void wait_for_memory(double seconds, const CancelToken& cancel);

}  // namespace imprint::jobs
