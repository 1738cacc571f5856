// SPDX-License-Identifier: Apache-2.0
// Still pictures through libvips.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/media/protocol.h"
#include "core/media/worker/input.h"

namespace imprint::media
{

/// What a still picture's header says.
struct StillHeader {
    std::string format; ///< "jpeg", "png", …
    int width = 0, height = 0; ///< upright
    bool needs_profile = false; ///< its colours mean something only through an ICC profile
    std::optional<int64_t> taken_at;
};

/// The format's name if the first bytes are those of a still picture that libvips reads here; nothing is decoded.
std::optional<std::string> sniff_vips_still(const Input& input);

/// Throws Error(Malformed, Unsupported, LimitExceeded).
StillHeader read_vips_header(const Input& input, const std::string& format, int64_t max_pixels);

/// Decodes, turns upright, scales, converts to 8-bit sRGB over white. Returns a sealed memfd and fills the reply.
int decode_vips_still(
    const Input& input, const StillHeader& header, const protocol::Request& request, protocol::Reply& reply);

} // namespace imprint::media
