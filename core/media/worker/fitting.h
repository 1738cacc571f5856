// SPDX-License-Identifier: Apache-2.0
// Which size a picture is scaled to.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/media/media.h"
#include "core/media/protocol.h"

namespace imprint::media
{

/// The exact size of nearest aspect ratio, or the largest one in proportion whose longer side is at most max_side.
inline Size fitted_size(int width, int height, const protocol::Request& request)
{
    if (request.size_count > 0) {
        const double aspect = std::log(double(width) / height);
        const auto distance = [&](const protocol::WireSize& size) {
            return std::abs(std::log(double(size.width) / size.height) - aspect);
        };
        const auto* best = std::min_element(request.sizes, request.sizes + request.size_count,
            [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
        return {best->width, best->height};
    }
    const double scale = std::min(1.0, double(request.max_side) / std::max(width, height));
    return {std::max(1, int(std::lround(width * scale))), std::max(1, int(std::lround(height * scale)))};
}

} // namespace imprint::media
