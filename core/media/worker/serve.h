// SPDX-License-Identifier: Apache-2.0
// The worker's loop and its one step, which tests and fuzzers call directly.
#pragma once

#include <functional>

#include "core/media/protocol.h"

namespace imprint::media
{

/// Answers one request about the open file. `payload` becomes the descriptor of a sealed memfd, or -1.
/// Throws std::bad_alloc when memory ran out; every other failure is a reply.
protocol::Reply answer(const protocol::Request& request, int file, int& payload);

/// What answers a request: answer() above, or a stand-in of the tests that runs in the same jail.
using Answer = std::function<protocol::Reply(const protocol::Request& request, int file, int& payload)>;

/// Answers requests until the parent hangs up, no request came for protocol::kIdleSeconds, or the process has used an hour
/// of processor time. Before the first request is answered the process locks itself in (lock_in) with that request's
/// memory and time; where it cannot, every request is answered with the reason.
void serve(int socket, const Answer& answer);

} // namespace imprint::media
