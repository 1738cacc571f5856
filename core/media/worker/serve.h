// SPDX-License-Identifier: Apache-2.0
// The worker's loop and its one step, which tests and fuzzers call directly.
#pragma once

#include "core/media/protocol.h"

namespace imprint::media
{

/// Answers one request about the open file. `payload` becomes the descriptor of a sealed memfd, or -1.
/// Throws std::bad_alloc when memory ran out; every other failure is a reply.
protocol::Reply answer(const protocol::Request& request, int file, int& payload);

/// Answers requests until the parent hangs up or no request came for protocol::kIdleSeconds.
void serve(int socket);

} // namespace imprint::media
