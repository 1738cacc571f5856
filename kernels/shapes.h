// SPDX-License-Identifier: Apache-2.0
// Sizes of one call of an operator, for its bodies on plain memory. The layouts are those of the operator's own header.
#pragma once

#include <cstdint>

namespace imprint::kernels {

/// depthwise_conv.h
struct DepthwiseConvShape {
    int64_t height, width, channels;
    int64_t out_height, out_width;
    int64_t pad_top, pad_left;
    int64_t kernel, stride;  ///< kernel 3 or 5, stride 1 or 2
    float clamp_high;
};

/// routing.h; one group
struct RoutingShape {
    int64_t tokens, experts, capacity;
};

/// dispatch.h
struct DispatchShape {
    int64_t groups, tokens, experts, capacity, width;
};

/// patchify.h; `frames` as given, before repeating
struct PatchShape {
    int64_t batch, frames, height, width;
    int64_t patch_frames, patch_size;
    int64_t tokens;      ///< patches written an item: all, or those kept
    int64_t kept_items;  ///< rows of the kept indices: 0 (all patches are kept), 1 (the same for every item) or batch
};

/// log_mel.h
struct MelShape {
    int64_t frames;  ///< of the whole batch
    int64_t bins, bands;
};

/// layer_norm.h
struct NormShape {
    int64_t rows, width;
    double epsilon;
};

/// contrastive.h; a chunk of the score matrix: rows [first_row, first_row + rows) of all samples·row_instances
struct ScoreShape {
    int64_t rows, columns, first_row;
    int64_t row_instances, column_instances;  ///< of one sample
    double margin;
};

}  // namespace imprint::kernels
