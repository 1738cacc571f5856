// SPDX-License-Identifier: Apache-2.0
// Which system calls a worker can still make once it has looked at a file.
#pragma once

namespace imprint::media {

/// From now on, on every thread and for good: reading descriptors that are open, memory, threads of this process, waiting,
/// the clock, and messages over protocol::kSocket. Everything else fails with EPERM: opening or examining anything by
/// name, sockets, other processes, writing anywhere but to descriptors 1 and 2. clone3 fails with ENOSYS, so that the C
/// library starts its threads with clone, whose flags can be looked at.
/// Throws Error(Io) where the kernel cannot do that.
void refuse_other_system_calls();

}  // namespace imprint::media
