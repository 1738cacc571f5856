// SPDX-License-Identifier: Apache-2.0
// More like this, less like that.
#pragma once

#include <span>
#include <vector>

#include "core/encoder.h"

namespace imprint::index {

/// The query moved by what was judged: q + 2·mean(more) − mean(less), to unit length (Rocchio, "Relevance feedback in
/// information retrieval", 1971, on means: one example or fifty, a judgement weighs the same). All of unit length and one
/// dimension; either set may be empty. An empty query stands for nothing, so that examples alone can be searched for: then
/// `more` must not be empty.
std::vector<float> refined(std::span<const float> query, const Vectors& more, const Vectors& less);

}  // namespace imprint::index
