// SPDX-License-Identifier: Apache-2.0
// One thing after another in the same file. Private to this folder.
#pragma once

#include <optional>
#include <span>

#include "index/search.h"

namespace imprint::index {

/// The best pair of a moment of `first` and a later one of `second` that begins at most `within` seconds after the first
/// has ended: the pair whose weaker half is best. A later one begins after the first begins. Moments without times take no
/// part. Nothing where there is no pair.
std::optional<MomentHit> best_pair(std::span<const MomentHit> first, std::span<const MomentHit> second, double within);

}  // namespace imprint::index
