// SPDX-License-Identifier: Apache-2.0
// The CPU body of patchify over plain memory; any thread.
#pragma once

#include "kernels/shapes.h"

namespace imprint::kernels {

/// Writes patch vectors [first, last) of batch·tokens. kept may be null where shape.kept_items is 0.
void patchify_tokens(const PatchShape& shape, const uint8_t* frames, const int64_t* kept, float* result, int64_t first,
                     int64_t last);

}  // namespace imprint::kernels
