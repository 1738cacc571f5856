// SPDX-License-Identifier: Apache-2.0
// patchify against the permutation of whole float clips.
#include <ATen/ATen.h>
#include <QTest>

#include "kernels/cuda_bodies.h"
#include "kernels/patchify.h"
#include "tests/kernels/bodies.h"

using namespace imprint::kernels;
using namespace imprint::test;

namespace {

struct Case {
    const char* name;
    int64_t batch, frames, height, width, patch_frames, patch_size;
    int64_t kept = 0, kept_items = 0;
};

const Case kCases[] = {
    {"an image is one frame four times", 2, 1, 32, 48, 4, 16},
    {"a clip", 1, 8, 32, 32, 4, 16},
    {"a clip with dropped tokens", 2, 8, 32, 32, 4, 16, 3, 2},
    {"the same tokens dropped from all", 3, 4, 32, 32, 4, 16, 2, 1},
    {"three frames for a patch of four", 1, 3, 16, 16, 4, 16},
    {"odd patches", 2, 2, 15, 10, 1, 5},
    {"odd patches with dropped tokens", 2, 2, 15, 10, 2, 5, 4, 2},
    {"nothing kept", 2, 4, 16, 16, 4, 8, 0, 2},
};

struct Arguments {
    at::Tensor frames, kept;
};

Arguments arguments_of(const Case& c)
{
    Arguments a{at::randint(0, 256, {c.batch, c.frames, c.height, c.width, 3}, at::kByte), {}};
    const int64_t patches =
        std::max<int64_t>(c.frames / c.patch_frames, 1) * (c.height / c.patch_size) * (c.width / c.patch_size);
    if (c.kept_items)
        a.kept =
            std::get<0>(at::rand({c.kept_items, patches}).argsort(int64_t(1)).narrow(1, 0, c.kept).sort(int64_t(1))).contiguous();
    return a;
}

at::Tensor by_permutation(const Case& c, const Arguments& a)
{
    at::Tensor clip = a.frames;
    if (c.frames < c.patch_frames)
        clip = clip.repeat({1, c.patch_frames, 1, 1, 1}).narrow(1, 0, c.patch_frames);
    const int64_t p = c.patch_size, f = c.patch_frames;
    const at::Tensor all = (clip.to(at::kFloat) / 127.5 - 1)
                               .view({c.batch, clip.size(1) / f, f, c.height / p, p, c.width / p, p, 3})
                               .permute({0, 1, 3, 5, 2, 4, 6, 7})
                               .reshape({c.batch, -1, f * p * p * 3});
    if (!a.kept.defined())
        return all;
    const at::Tensor kept = a.kept.expand({c.batch, a.kept.size(1)}).unsqueeze(-1);
    return all.gather(1, kept.expand({c.batch, a.kept.size(1), all.size(2)}));
}

}  // namespace

class TestPatchify : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { at::manual_seed(8); }

    void equals_the_permuted_clip_bit_for_bit_data() { add_rows(kCases); }
    void equals_the_permuted_clip_bit_for_bit()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const Arguments a = arguments_of(c);
        const On device(target, cuda_on_cpu::register_patchify);
        const at::Tensor kept = a.kept.defined() ? device.put(a.kept) : at::Tensor();
        const at::Tensor patches = patchify(device.put(a.frames), c.patch_frames, c.patch_size, kept);
        QVERIFY(at::equal(device.get(patches), by_permutation(c, a)));
        QVERIFY(device.has_run() || patches.numel() == 0);
    }

    void has_a_meta_body()
    {
        for (const Case& c : kCases) {
            const Arguments a = arguments_of(c);
            const at::Tensor kept = a.kept.defined() ? shadow(a.kept) : at::Tensor();
            QVERIFY(foretells(patchify(shadow(a.frames), c.patch_frames, c.patch_size, kept),
                              patchify(a.frames, c.patch_frames, c.patch_size, a.kept)));
        }
    }

    void refuses_what_it_cannot_cut()
    {
        const at::Tensor frames = at::zeros({1, 4, 32, 32, 3}, at::kByte);
        QVERIFY_THROWS_EXCEPTION(c10::Error, patchify(frames.to(at::kFloat), 4, 16));
        QVERIFY_THROWS_EXCEPTION(c10::Error, patchify(frames, 3, 16));
        QVERIFY_THROWS_EXCEPTION(c10::Error, patchify(frames, 4, 12));
        QVERIFY_THROWS_EXCEPTION(c10::Error, patchify(frames.transpose(2, 3), 4, 16));
        QVERIFY_THROWS_EXCEPTION(c10::Error, patchify(frames, 4, 16, at::tensor({4}, at::kLong).view({1, 1})));
        QVERIFY_THROWS_EXCEPTION(c10::Error, patchify(frames, 4, 16, at::zeros({2, 1}, at::kLong)));
    }
};

QTEST_APPLESS_MAIN(TestPatchify)
#include "tst_patchify.moc"
