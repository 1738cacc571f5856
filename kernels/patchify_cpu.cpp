// SPDX-License-Identifier: Apache-2.0
// The loop of patchify.
#include "kernels/patchify_cpu.h"

namespace imprint::kernels {

void patchify_tokens(const PatchShape& shape, const uint8_t* frames, const int64_t* kept, float* result, int64_t first,
                     int64_t last)
{
    const int64_t p = shape.patch_size, columns = shape.width / p, rows = shape.height / p;
    for (int64_t item = first; item < last; ++item) {
        const int64_t clip = item / shape.tokens, token = item % shape.tokens;
        const int64_t patch = kept ? kept[(shape.kept_items == 1 ? 0 : clip * shape.tokens) + token] : token;
        const int64_t column = patch % columns, row = patch / columns % rows, time = patch / columns / rows;
        float* to = result + item * shape.patch_frames * p * p * 3;
        for (int64_t f = 0; f < shape.patch_frames; ++f) {
            const int64_t frame = (time * shape.patch_frames + f) % shape.frames;
            for (int64_t y = 0; y < p; ++y, to += p * 3) {
                const uint8_t* from =
                    frames + (((clip * shape.frames + frame) * shape.height + row * p + y) * shape.width + column * p) * 3;
                for (int64_t i = 0; i < p * 3; ++i)
                    to[i] = static_cast<float>(from[i]) / 127.5f - 1.0f;
            }
        }
    }
}

}  // namespace imprint::kernels
