// SPDX-License-Identifier: Apache-2.0
// What counts as the same sound going on.
#include <QTest>

#include <cmath>
#include <numbers>
#include <random>

#include "app/jobs/repeats.h"
#include "core/media/media.h"

using namespace imprint::jobs;
using imprint::media::kSampleRate;

namespace {

using Samples = std::vector<float>;
constexpr int kSeconds = 5;

Samples tone(double hertz, double amplitude = 0.1)
{
    Samples samples(kSeconds * kSampleRate);
    for (size_t i = 0; i < samples.size(); ++i)
        samples[i] =
            static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / kSampleRate));
    return samples;
}

Samples noise(unsigned seed, double smoothing = 0, double amplitude = 0.05)
{
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    Samples samples(kSeconds * kSampleRate);
    float last = 0;
    for (float& sample : samples)
        sample = static_cast<float>(amplitude) * (last = static_cast<float>(smoothing) * last + normal(random));
    return samples;
}

/// Noise in bursts, as steps or a clock make them.
Samples bursts(unsigned seed, double a_second)
{
    Samples samples = noise(seed);
    for (size_t i = 0; i < samples.size(); ++i)
        if (std::fmod(static_cast<double>(i) / kSampleRate * a_second, 1.0) > 0.2)
            samples[i] *= 0.01f;
    return samples;
}

}  // namespace

class TestRepeats : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void the_same_sound_going_on_is_told_from_another_data()
    {
        QTest::addColumn<Samples>("a");
        QTest::addColumn<Samples>("b");
        QTest::addColumn<bool>("same");
        QTest::newRow("a tone") << tone(440) << tone(440) << true;
        QTest::newRow("a tone a little louder") << tone(440) << tone(440, 0.105) << true;
        QTest::newRow("a tone twice as loud") << tone(440) << tone(440, 0.2) << false;
        QTest::newRow("another tone") << tone(440) << tone(660) << false;
        QTest::newRow("rain") << noise(1) << noise(2) << true;
        QTest::newRow("a rumble") << noise(1, 0.95) << noise(2, 0.95) << true;
        QTest::newRow("rain and a rumble") << noise(1) << noise(2, 0.95) << false;
        QTest::newRow("rain and a tone") << noise(1) << tone(440) << false;
        QTest::newRow("steps") << bursts(1, 2) << bursts(2, 2) << true;
        QTest::newRow("steps and steady rain") << bursts(1, 2) << noise(2) << false;
    }
    void the_same_sound_going_on_is_told_from_another()
    {
        QFETCH(Samples, a);
        QFETCH(Samples, b);
        QTEST(sounds_the_same(listen(a), listen(b)), "same");
        QCOMPARE(sounds_the_same(listen(b), listen(a)), sounds_the_same(listen(a), listen(b)));
    }
};

QTEST_GUILESS_MAIN(TestRepeats)
#include "tst_repeats.moc"
