// SPDX-License-Identifier: Apache-2.0
// CUDA kernel of patchify: a thread reads four bytes and writes four floats.
#include "kernels/patchify_cuda.h"

#include "kernels/cuda_common.cuh"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

template <bool Vector>
__global__ void cut(PatchShape shape, int64_t packs, const uint8_t* frames, const int64_t* kept, float* result)
{
    using Values = Pack<float, Vector>;
    struct alignas(Values::kSize) Bytes {
        uint8_t values[Values::kSize];
    };
    const int64_t i = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x);
    if (i >= packs)
        return;
    const int64_t p = shape.patch_size, line = p * 3, length = shape.patch_frames * p * line;
    const int64_t item = i * Values::kSize / length, place = i * Values::kSize % length;
    const int64_t clip = item / shape.tokens, token = item % shape.tokens;
    const int64_t columns = shape.width / p, rows = shape.height / p;
    const int64_t times = shape.frames < shape.patch_frames ? 1 : shape.frames / shape.patch_frames;
    const int64_t patch = kept ? kept[(shape.kept_items == 1 ? 0 : clip * shape.tokens) + token] : token;
    Values values{};
    if (patch >= 0 && patch < times * rows * columns) {
        const int64_t column = patch % columns, row = patch / columns % rows, time = patch / columns / rows;
        const int64_t frame = (time * shape.patch_frames + place / (p * line)) % shape.frames, y = place / line % p;
        const uint8_t* from =
            frames + (((clip * shape.frames + frame) * shape.height + row * p + y) * shape.width + column * p) * 3 + place % line;
        const Bytes bytes = *reinterpret_cast<const Bytes*>(from);
        for (int j = 0; j < Values::kSize; ++j)
            values.values[j] = static_cast<float>(bytes.values[j]) / 127.5f - 1.0f;
    }
    store(result + i * Values::kSize, values);
}

}  // namespace

cudaError_t patchify(const PatchShape& shape, const uint8_t* frames, const int64_t* kept, float* result, cudaStream_t stream)
{
    // Lines of patches and of frames that are multiples of four bytes keep every group of four within one line, aligned.
    const bool packed = shape.patch_size % 4 == 0 && shape.width % 4 == 0 && reinterpret_cast<uintptr_t>(frames) % 4 == 0
        && reinterpret_cast<uintptr_t>(result) % 16 == 0;
    const int64_t values = shape.batch * shape.tokens * shape.patch_frames * shape.patch_size * shape.patch_size * 3;
    const int64_t packs = packed ? values / 4 : values;
    return launch(packed ? cut<true> : cut<false>, divide_up(packs, kThreads), kThreads, stream, shape, packs, frames, kept,
                  result);
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
