// SPDX-License-Identifier: Apache-2.0
// Each band's factor moves what lies well inside that band, and factors of one move nothing.
#include <QTest>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "training/equaliser.h"

using namespace imprint::training;

namespace {

constexpr double kRate = 16000;

std::vector<float> tone(double hertz)
{
    std::vector<float> samples(16000);
    for (size_t i = 0; i < samples.size(); ++i)
        samples[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / kRate));
    return samples;
}

/// The greatest amplitude once the filters have settled.
float amplitude(const std::vector<float>& samples)
{
    float most = 0;
    for (size_t i = samples.size() / 2; i < samples.size(); ++i)
        most = std::max(most, std::abs(samples[i]));
    return most;
}

}  // namespace

class TestEqualiser : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_tone_is_moved_by_the_factor_of_its_band_data()
    {
        QTest::addColumn<double>("hertz");
        QTest::addColumn<int>("band");
        QTest::newRow("bass") << 40.0 << 0;
        QTest::newRow("middle") << 850.0 << 1;
        QTest::newRow("treble") << 7500.0 << 2;
    }
    void a_tone_is_moved_by_the_factor_of_its_band()
    {
        QFETCH(double, hertz);
        QFETCH(int, band);
        for (const float factor : {0.5f, 2.0f}) {
            BandGains gains{1, 1, 1};
            gains[static_cast<size_t>(band)] = factor;
            std::vector<float> samples = tone(hertz);
            equalise(samples, kRate, gains);
            const float got = amplitude(samples) / 0.5f;
            QVERIFY2(std::abs(std::log2(got / factor)) < 0.35f, qPrintable(QString("factor %1 came out as %2").arg(factor).arg(got)));
        }
    }
    void factors_of_one_leave_a_sound_as_it_is()
    {
        std::vector<float> samples = tone(523.25);
        const std::vector<float> before = samples;
        equalise(samples, kRate, {1, 1, 1});
        for (size_t i = 0; i < samples.size(); ++i)
            QVERIFY(std::abs(samples[i] - before[i]) < 1e-6f);
    }
    void one_factor_for_all_bands_is_a_change_of_loudness()
    {
        std::vector<float> samples = tone(523.25);
        const std::vector<float> before = samples;
        equalise(samples, kRate, {0.25f, 0.25f, 0.25f});
        for (size_t i = 0; i < samples.size(); ++i)
            QVERIFY(std::abs(samples[i] - 0.25f * before[i]) < 1e-6f);
    }
};

QTEST_GUILESS_MAIN(TestEqualiser)
#include "tst_equaliser.moc"
