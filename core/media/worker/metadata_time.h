// SPDX-License-Identifier: Apache-2.0
// When a picture or video was taken, as EXIF and containers write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace imprint::media
{

/// "2012:03:04 05:06:07" with an offset such as "+02:00" (empty: taken as UTC) to seconds since 1970.
std::optional<int64_t> parse_exif_time(const std::string& text, const std::string& offset);

/// "2012-03-04T05:06:07.000000Z" or with "+0200" at the end.
std::optional<int64_t> parse_container_time(const std::string& text);

} // namespace imprint::media
