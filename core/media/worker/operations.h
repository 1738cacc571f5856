// SPDX-License-Identifier: Apache-2.0
// What a worker can do with a file. Each fills its part of the reply; those that return a descriptor return a sealed
// memfd. All throw Error with an empty subject (the parent knows the path), or std::bad_alloc.
#pragma once

#include "core/media/protocol.h"
#include "core/media/worker/input.h"

namespace imprint::media
{

/// Decides by content what the file is and reads its headers.
void probe(const Input& input, const protocol::Request& request, protocol::Reply& reply);

/// One RGB picture.
int still(const Input& input, const protocol::Request& request, protocol::Reply& reply);

/// One RGB picture for each time of the request, all of one size.
int frames(const Input& input, const protocol::Request& request, protocol::Reply& reply);

/// 32-bit floats, mono, at kSampleRate; -1 when the range holds none.
int sound(const Input& input, const protocol::Request& request, protocol::Reply& reply);

/// The span of the request as a file of its own, by copying what is coded; its ending in `format`, its bytes in
/// `sample_count`, where in the file it starts in `start`.
int excerpt(const Input& input, const protocol::Request& request, protocol::Reply& reply);

} // namespace imprint::media
