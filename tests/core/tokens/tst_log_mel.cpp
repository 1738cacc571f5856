// SPDX-License-Identifier: Apache-2.0
// The sound front end against a direct computation of its definition.
#include <ATen/ATen.h>
#include <QTest>

#include <cmath>
#include <complex>
#include <numbers>

#include "core/tokens/log_mel.h"

using namespace imprint;

class TestLogMel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void frames_equal_a_fourier_sum_written_out()
    {
        model::ModelConfig config;
        config.fft = 256;
        config.hop = 128;
        config.mel_bands = 16;
        config.sound_patch = 16;
        const tokens::LogMel log_mel(config);
        const int64_t length = log_mel.padded_length(3000);
        at::Tensor samples = at::zeros({1, length});
        for (int64_t i = 0; i < 3000; ++i)
            samples[0][i] = std::sin(0.2 * double(i)) + 0.3 * std::sin(0.9 * double(i) + 1);
        const at::Tensor found = log_mel(samples);
        QCOMPARE(found.sizes(), at::IntArrayRef({1, length / 128, 16}));
        const auto x = samples.accessor<float, 2>();
        const auto mel = log_mel.mel_matrix().accessor<float, 2>();
        for (const int64_t frame : {int64_t{0}, int64_t{7}, length / 128 - 1}) {
            std::vector<double> magnitude(129);
            for (size_t bin = 0; bin < magnitude.size(); ++bin) {
                std::complex<double> sum = 0;
                for (int64_t n = 0; n < 256; ++n) {
                    const int64_t place = frame * 128 + n;
                    const double value = place < length ? x[0][place] : 0;
                    const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * double(n) / 256);
                    sum += value * window * std::polar(1.0, -2 * std::numbers::pi * double(bin) * double(n) / 256);
                }
                magnitude[bin] = std::abs(sum);
            }
            for (int64_t band = 0; band < 16; ++band) {
                double energy = 0;
                for (size_t bin = 0; bin < magnitude.size(); ++bin)
                    energy += magnitude[bin] * double(mel[static_cast<int64_t>(bin)][band]);
                // Single precision leaves a floor of about 1e-6 of the loudest bin, so energies are compared, not logarithms.
                const double wanted = energy + 1e-6;
                QVERIFY2(std::abs(std::exp(found[0][frame][band].item<double>()) - wanted) < 1e-4 * wanted + 2e-4, qPrintable(QString::number(wanted)));
            }
        }
    }

    void mel_bands_are_triangles_on_the_htk_scale()
    {
        const model::ModelConfig config;
        const tokens::LogMel log_mel(config);
        const at::Tensor& matrix = log_mel.mel_matrix();
        QCOMPARE(matrix.sizes(), at::IntArrayRef({1025, 128}));
        QVERIFY(matrix[0].sum().item<double>() == 0);  // no DC
        QVERIFY(matrix.max().item<double>() <= 1);
        QVERIFY((matrix.sum(0) > 0).all().item<bool>());
        // Below 80 Hz and above 7,600 Hz nothing is heard: bins of 7.8125 Hz.
        QVERIFY(matrix.narrow(0, 0, 11).sum().item<double>() == 0);
        QVERIFY(matrix.narrow(0, 973, 52).sum().item<double>() == 0);
    }

    void a_tone_peaks_in_its_band_data()
    {
        QTest::addColumn<double>("hertz");
        for (const double hertz : {200.0, 1000.0, 4000.0})
            QTest::addRow("%g Hz", hertz) << hertz;
    }
    void a_tone_peaks_in_its_band()
    {
        QFETCH(double, hertz);
        const model::ModelConfig config;
        const tokens::LogMel log_mel(config);
        const at::Tensor samples = at::sin(at::arange(65536, at::kDouble) * (2 * std::numbers::pi * hertz / 16000)).to(at::kFloat).unsqueeze(0);
        const auto band = log_mel(samples)[0][20].argmax().item<int64_t>();
        const auto mel = [](double f) { return 1127 * std::log1p(f / 700); };
        const double wanted = (mel(hertz) - mel(80)) / ((mel(7600) - mel(80)) / 129) - 1;
        QVERIFY2(std::abs(double(band) - wanted) <= 1.5, qPrintable(QString::number(band)));
    }

    void lengths_are_whole_patches_data()
    {
        QTest::addColumn<qint64>("samples");
        QTest::addColumn<qint64>("padded");
        QTest::newRow("one sample") << qint64{1} << qint64{8192};
        QTest::newRow("one patch") << qint64{8192} << qint64{8192};
        QTest::newRow("a little more") << qint64{8193} << qint64{16384};
        QTest::newRow("the window") << qint64{65536} << qint64{65536};
    }
    void lengths_are_whole_patches()
    {
        QFETCH(qint64, samples);
        QFETCH(qint64, padded);
        QCOMPARE(qint64{tokens::LogMel(model::ModelConfig{}).padded_length(samples)}, padded);
    }
};

QTEST_APPLESS_MAIN(TestLogMel)
#include "tst_log_mel.moc"
