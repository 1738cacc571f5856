// SPDX-License-Identifier: Apache-2.0
// log_mel against the transform and the whole mel matrix.
#include <ATen/ATen.h>
#include <QTest>

#include "kernels/cuda_bodies.h"
#include "kernels/log_mel.h"
#include "tests/kernels/bodies.h"

using namespace imprint::kernels;
using namespace imprint::test;

namespace {

struct Case {
    const char* name;
    int64_t batch, samples, fft, hop, bands;
    bool silent = false;
};

const Case kCases[] = {
    {"a window of sound", 2, 16 * 1024, 2048, 1024, 128},
    {"short frames", 3, 12 * 16, 64, 16, 10},
    {"one frame", 1, 128, 256, 128, 7},
    {"silence", 1, 1024, 256, 128, 7, true},
    {"no items", 0, 1024, 256, 128, 7},
};

/// Triangles over [fft / 2 + 1] bins, the first and the last bin left out; one of the bands is empty.
at::Tensor triangles(const Case& c)
{
    const int64_t bins = c.fft / 2 + 1;
    at::Tensor matrix = at::zeros({bins, c.bands});
    const double step = static_cast<double>(bins - 2) / static_cast<double>(c.bands + 1);
    for (int64_t band = 1; band < c.bands; ++band)
        for (int64_t bin = 1; bin + 1 < bins; ++bin)
            matrix.mutable_data_ptr<float>()[bin * c.bands + band] = static_cast<float>(
                std::max(0.0, 1.3 - std::abs((static_cast<double>(bin) - 1) / step - static_cast<double>(band) - 1)));
    return matrix;
}

at::Tensor by_matrix(const Case& c, const at::Tensor& samples, const at::Tensor& window)
{
    at::Tensor result = at::empty({c.batch, c.samples / c.hop, c.bands}, at::kDouble);
    const at::Tensor padded = at::constant_pad_nd(samples, {0, c.fft}).to(at::kDouble);
    if (c.batch == 0)
        return result;
    for (int64_t frame = 0; frame < c.samples / c.hop; ++frame) {
        const at::Tensor spectrum = at::fft_rfft(padded.narrow(1, frame * c.hop, c.fft) * window.to(at::kDouble));
        result.select(1, frame).copy_(at::log(at::matmul(spectrum.abs(), triangles(c).to(at::kDouble)) + 1e-6));
    }
    return result;
}

at::Tensor samples_of(const Case& c) { return c.silent ? at::zeros({c.batch, c.samples}) : at::randn({c.batch, c.samples}) / 3; }

}  // namespace

class TestMelFrames : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { at::manual_seed(9); }

    void equals_the_product_with_the_whole_matrix_data() { add_rows(kCases); }
    void equals_the_product_with_the_whole_matrix()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const at::Tensor samples = samples_of(c), window = at::hann_window(c.fft, true, at::kFloat);
        const at::Tensor wanted = by_matrix(c, samples, window);
        const MelBands bands = mel_bands(triangles(c));
        if (target == kCpu && c.batch > 0)
            QVERIFY(near(log_mel(samples.to(at::kDouble), window.to(at::kDouble), bands, c.hop), wanted, 1e-9));
        const On device(target, cuda_on_cpu::register_log_mel);
        const MelBands there{device.put(bands.first), device.put(bands.offsets), device.put(bands.weights)};
        const at::Tensor frames = log_mel(device.put(samples), device.put(window), there, c.hop);
        QCOMPARE(frames.scalar_type(), at::kFloat);
        QVERIFY(near(frames, wanted, 2e-4));
        QVERIFY(device.has_run() || c.batch == 0);
    }

    void keeps_each_band_from_its_first_to_its_last_weight()
    {
        // Columns are bands: 0 0 0 4, then 2 0 3 inside zeros, then nothing.
        const at::Tensor matrix = at::tensor({0.f, 2.f, 0.f, 0.f, 0.f, 0.f, 0.f, 3.f, 0.f, 4.f, 0.f, 0.f}).view({4, 3});
        const MelBands bands = mel_bands(matrix);
        QVERIFY(at::equal(bands.first, at::tensor({3, 0, 0}, at::kLong)));
        QVERIFY(at::equal(bands.offsets, at::tensor({0, 1, 4, 4}, at::kLong)));
        QVERIFY(at::equal(bands.weights, at::tensor({4.f, 2.f, 0.f, 3.f})));
    }

    void has_a_meta_body()
    {
        for (const Case& c : kCases) {
            const at::Tensor samples = samples_of(c), window = at::hann_window(c.fft, true, at::kFloat);
            const MelBands bands = mel_bands(triangles(c));
            const MelBands there{shadow(bands.first), shadow(bands.offsets), shadow(bands.weights)};
            QVERIFY(foretells(log_mel(shadow(samples), shadow(window), there, c.hop), log_mel(samples, window, bands, c.hop)));
        }
    }

    void refuses_what_does_not_fit()
    {
        const Case& c = kCases[1];
        const at::Tensor samples = samples_of(c), window = at::hann_window(c.fft, true, at::kFloat);
        const MelBands bands = mel_bands(triangles(c));
        QVERIFY_THROWS_EXCEPTION(c10::Error, log_mel(samples[0], window, bands, c.hop));
        QVERIFY_THROWS_EXCEPTION(c10::Error, log_mel(samples, window, bands, 17));
        QVERIFY_THROWS_EXCEPTION(c10::Error, log_mel(samples, window.to(at::kDouble), bands, c.hop));
        QVERIFY_THROWS_EXCEPTION(c10::Error, log_mel(samples, window.narrow(0, 0, 32).contiguous(), bands, c.hop));
    }
};

QTEST_APPLESS_MAIN(TestMelFrames)
#include "tst_mel_frames.moc"
