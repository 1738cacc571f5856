// SPDX-License-Identifier: Apache-2.0
// Schema, checks and dispatch of patchify.
#include "kernels/patchify.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include "kernels/bodies.h"
#include "kernels/operator.h"
#include "kernels/patchify_cpu.h"

namespace imprint::kernels {
namespace {

PatchShape patch_shape(const at::Tensor& frames, const MaybeTensor& kept, int64_t patch_frames, int64_t patch_size)
{
    TORCH_CHECK(frames.dim() == 5 && frames.size(4) == 3 && frames.scalar_type() == at::kByte,
                "patchify: wanted uint8 frames [batch, frames, height, width, 3], got ", frames.scalar_type(), " ",
                frames.sizes());
    TORCH_CHECK(patch_frames >= 1 && patch_size >= 1, "patchify: a patch of ", patch_frames, " frames and ", patch_size,
                " pixels");
    const int64_t count = frames.size(1), height = frames.size(2), width = frames.size(3);
    TORCH_CHECK(count >= 1 && (count < patch_frames || count % patch_frames == 0) && height % patch_size == 0
                    && width % patch_size == 0,
                "patchify: ", count, " frames of ", height, "×", width, " cannot be cut into patches of ", patch_frames, " × ",
                patch_size, "×", patch_size);
    PatchShape shape{frames.size(0), count, height, width, patch_frames, patch_size, 0, 0};
    shape.tokens = std::max<int64_t>(count / patch_frames, 1) * (height / patch_size) * (width / patch_size);
    check_together("patchify", frames, {});
    if (kept) {
        TORCH_CHECK(kept->dim() == 2 && kept->scalar_type() == at::kLong && (kept->size(0) == 1 || kept->size(0) == shape.batch),
                    "patchify: wanted int64 kept [", shape.batch, " or 1, n], got ", kept->scalar_type(), " ", kept->sizes());
        check_together("patchify", frames, {&*kept});
        shape.kept_items = kept->size(0);
        shape.tokens = kept->size(1);
    }
    return shape;
}

}  // namespace

at::Tensor patchify_result(const at::Tensor& frames, const MaybeTensor& kept, int64_t patch_frames, int64_t patch_size)
{
    const PatchShape shape = patch_shape(frames, kept, patch_frames, patch_size);
    return at::empty({shape.batch, shape.tokens, patch_frames * patch_size * patch_size * 3}, frames.options().dtype(at::kFloat));
}

namespace {

at::Tensor patchify_cpu(const at::Tensor& frames, const MaybeTensor& kept, int64_t patch_frames, int64_t patch_size)
{
    const PatchShape shape = patch_shape(frames, kept, patch_frames, patch_size);
    const int64_t* indices = kept ? kept->const_data_ptr<int64_t>() : nullptr;
    const int64_t patches =
        std::max<int64_t>(shape.frames / patch_frames, 1) * (shape.height / patch_size) * (shape.width / patch_size);
    for (int64_t i = 0; i < (kept ? kept->numel() : 0); ++i)
        TORCH_CHECK(indices[i] >= 0 && indices[i] < patches, "patchify: kept index ", indices[i], " of ", patches, " patches");
    const at::Tensor result = patchify_result(frames, kept, patch_frames, patch_size);
    at::parallel_for(0, shape.batch * shape.tokens, grain_for(result.size(2)), [&](int64_t first, int64_t last) {
        patchify_tokens(shape, frames.const_data_ptr<uint8_t>(), indices, result.mutable_data_ptr<float>(), first, last);
    });
    return result;
}

}  // namespace

at::Tensor patchify(const at::Tensor& frames, int64_t patch_frames, int64_t patch_size, const at::Tensor& kept)
{
    static const auto op = operator_handle<decltype(patchify_cpu)>("imprint::patchify");
    return op.call(frames, kept.defined() ? std::optional<at::Tensor>(kept) : std::nullopt, patch_frames, patch_size);
}

}  // namespace imprint::kernels

TORCH_LIBRARY_FRAGMENT(imprint, library)
{
    library.def("patchify(Tensor frames, Tensor? kept, int patch_frames, int patch_size) -> Tensor");
}

TORCH_LIBRARY_IMPL(imprint, CPU, library) { library.impl("patchify", imprint::kernels::patchify_cpu); }

TORCH_LIBRARY_IMPL(imprint, Meta, library) { library.impl("patchify", imprint::kernels::patchify_result); }
