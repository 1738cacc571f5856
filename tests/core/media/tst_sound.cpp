// SPDX-License-Identifier: Apache-2.0
// Sound: any format, rate and layout becomes 16 kHz mono without aliases, and a range is what the whole would give
// there.
#include <QTest>

#include <algorithm>

#include "media_tools.h"

using namespace imprint;
using namespace imprint::media;
using namespace imprint::media::test;

namespace
{

// Amplitude of one frequency, leaving out a little at both ends.
double amplitude(const std::vector<float>& samples, double frequency)
{
    double real = 0, imaginary = 0;
    const size_t margin = 800, end = samples.size() - margin;
    // A whole number of periods of every frequency used here: multiples of 10 Hz.
    const size_t count = (end - margin) / 1600 * 1600;
    for (size_t i = margin; i < margin + count; ++i) {
        const double phase = 2 * std::numbers::pi * frequency * i / kSampleRate;
        real += samples[i] * std::cos(phase);
        imaginary += samples[i] * std::sin(phase);
    }
    return 2 * std::hypot(real, imaginary) / count;
}

double rms(const std::vector<float>& samples, size_t margin = 800)
{
    double sum = 0;
    for (size_t i = margin; i + margin < samples.size(); ++i)
        sum += double(samples[i]) * samples[i];
    return std::sqrt(sum / (samples.size() - 2 * margin));
}

double decibels(double ratio)
{
    return 20 * std::log10(std::max(ratio, 1e-12));
}

// By how many samples `part` lies beside where it should in `whole`.
int shift(const std::vector<float>& part, const std::vector<float>& whole, size_t first)
{
    int best = 0;
    double least = 1e30;
    for (int by = -100; by <= 100; ++by) {
        double difference = 0;
        // Over a change of the tone, or every period would fit.
        for (size_t i = kSampleRate / 2; i < size_t(kSampleRate) * 2; ++i)
            difference += std::abs(part[i] - whole[first + i + by]);
        if (difference < least) {
            least = difference;
            best = by;
        }
    }
    return std::abs(best);
}

} // namespace

class SoundTest : public QObject
{
    Q_OBJECT

    QTemporaryDir dir_;
    std::unique_ptr<Decoder> decoder_;

    std::string path(const QString& name) const { return dir_.filePath(name).toStdString(); }

private Q_SLOTS:
    void initTestCase() { decoder_ = std::make_unique<Decoder>(options()); }

    void a_tone_keeps_its_level_at_every_rate_and_layout_data()
    {
        QTest::addColumn<int>("rate");
        QTest::addColumn<int>("channels");
        for (int rate : {8000, 11025, 11127, 16000, 22050, 32000, 44100, 48000, 96000, 192000})
            QTest::addRow("%d Hz", rate) << rate << 1;
        for (int channels : {2, 3, 4, 6, 8, 12})
            QTest::addRow("%d channels", channels) << 44100 << channels;
    }
    void a_tone_keeps_its_level_at_every_rate_and_layout()
    {
        QFETCH(int, rate);
        QFETCH(int, channels);
        QVERIFY(write_file(path("tone.wav"), wav(tone(1000, 3, rate, channels), channels, rate)));
        const Probe probe = decoder_->probe(path("tone.wav"));
        QCOMPARE(probe.kind, Kind::Audio);
        QVERIFY(probe.has_sound);
        QCOMPARE(QString::fromStdString(probe.format), "wav");
        QVERIFY(std::abs(probe.duration - 3) < 1e-3);
        const auto samples = decoder_->sound(path("tone.wav"), 0, 10).samples;
        QVERIFY2(std::abs(int(samples.size()) - 3 * kSampleRate) <= 2, qPrintable(QString::number(samples.size())));
        const double level = decibels(amplitude(samples, 1000) / 0.5);
        QVERIFY2(std::abs(level) < 0.1, qPrintable(QString("%1 dB").arg(level)));
        // Nothing but the tone, and no shift: sample n is the tone at n / 16000.
        double worst = 0;
        for (size_t i = 800; i < samples.size() - 800; ++i)
            worst
                = std::max(worst, std::abs(samples[i] - 0.5 * std::sin(2 * std::numbers::pi * 1000 * i / kSampleRate)));
        QVERIFY2(worst < 2e-3, qPrintable(QString::number(worst)));
    }

    void what_16_khz_cannot_hold_is_gone_data()
    {
        QTest::addColumn<int>("rate");
        QTest::addColumn<double>("frequency");
        QTest::newRow("12 kHz at 48 kHz") << 48000 << 12000.0;
        QTest::newRow("12 kHz at 44.1 kHz") << 44100 << 12000.0;
        QTest::newRow("9 kHz at 48 kHz") << 48000 << 9000.0;
        QTest::newRow("8.6 kHz at 22.05 kHz") << 22050 << 8600.0;
        QTest::newRow("15.9 kHz at 96 kHz") << 96000 << 15900.0;
        QTest::newRow("12 kHz at an odd rate") << 44101 << 12000.0;
    }
    void what_16_khz_cannot_hold_is_gone()
    {
        QFETCH(int, rate);
        QFETCH(double, frequency);
        QVERIFY(write_file(path("high.wav"), wav(tone(frequency, 2, rate), 1, rate)));
        const double level = decibels(rms(decoder_->sound(path("high.wav"), 0, 2).samples) / (0.5 / std::sqrt(2)));
        QVERIFY2(level < -60, qPrintable(QString("%1 dB").arg(level)));
    }

    void what_16_khz_can_hold_stays()
    {
        for (double frequency : {100.0, 3000.0, 6000.0, 7000.0}) {
            QVERIFY(write_file(path("low.wav"), wav(tone(frequency, 2, 48000), 1, 48000)));
            const double level = decibels(amplitude(decoder_->sound(path("low.wav"), 0, 2).samples, frequency) / 0.5);
            QVERIFY2(std::abs(level) < 0.1, qPrintable(QString("%1 Hz: %2 dB").arg(frequency).arg(level)));
        }
    }

    void channels_are_averaged()
    {
        std::vector<float> stereo;
        for (int i = 0; i < 48000; ++i) {
            stereo.push_back(static_cast<float>(0.8 * std::sin(2 * std::numbers::pi * 500 * i / 48000)));
            stereo.push_back(0);
        }
        QVERIFY(write_file(path("left.wav"), wav(stereo, 2, 48000)));
        QVERIFY(std::abs(amplitude(decoder_->sound(path("left.wav"), 0, 1).samples, 500) - 0.4) < 0.005);
    }

    void every_format_is_read_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QStringList>("coding");
        QTest::addColumn<bool>("exact"); // false: packets of varying length with rounded times, so a seek is 1 ms off
        QTest::newRow("FLAC") << "a.flac" << QStringList{} << true;
        QTest::newRow("MP3") << "a.mp3" << QStringList{} << true;
        QTest::newRow("MP3, variable rate without a header")
            << "v.mp3" << QStringList{"-q:a", "4", "-write_xing", "0"} << true;
        QTest::newRow("Ogg Vorbis") << "a.ogg" << QStringList{"-c:a", "libvorbis"} << true;
        QTest::newRow("Opus") << "a.opus" << QStringList{} << true;
        QTest::newRow("AIFF") << "a.aiff" << QStringList{} << true;
        QTest::newRow("AU") << "a.au" << QStringList{} << true;
        QTest::newRow("CAF") << "a.caf" << QStringList{} << true;
        QTest::newRow("WAV of floats") << "f.wav" << QStringList{"-c:a", "pcm_f32le"} << true;
        QTest::newRow("WAV of 24 bits") << "w.wav" << QStringList{"-c:a", "pcm_s24le"} << true;
        QTest::newRow("WAV of A-law") << "l.wav" << QStringList{"-c:a", "pcm_alaw"} << true;
        QTest::newRow("WAV holding MP3") << "m.wav" << QStringList{"-c:a", "libmp3lame"} << true;
        QTest::newRow("AAC in MP4") << "a.m4a" << QStringList{} << true;
        QTest::newRow("AAC, bare") << "a.aac" << QStringList{} << true;
        QTest::newRow("ALAC") << "alac.m4a" << QStringList{"-c:a", "alac"} << true;
        QTest::newRow("AC-3, 5.1") << "a.ac3" << QStringList{"-ac", "6"} << true;
        QTest::newRow("WMA") << "a.wma" << QStringList{} << false;
        QTest::newRow("AAC in Matroska") << "a.mka" << QStringList{"-c:a", "aac"} << true;
        QTest::newRow("Opus in WebM") << "a.webm" << QStringList{"-c:a", "libopus"} << true;
        QTest::newRow("MP2 in a transport stream") << "a.ts" << QStringList{"-c:a", "mp2"} << true;
        QTest::newRow("WavPack") << "a.wv" << QStringList{} << true;
        QTest::newRow("Vorbis in Matroska") << "v.mka" << QStringList{"-c:a", "libvorbis"} << false;
    }
    void every_format_is_read()
    {
        QFETCH(QString, name);
        QFETCH(QStringList, coding);
        QFETCH(bool, exact);
        // A tone that rises by 10 Hz each second, so that places can be told apart.
        QVERIFY(
            ffmpeg(QStringList{"-f", "lavfi", "-i", "aevalsrc='0.5*sin(2*PI*(400+100*floor(t))*t)':s=44100:d=12:c=mono"}
                + (coding.contains("-ac") ? QStringList{} : QStringList{"-ac", "2"}) + coding
                + QStringList{QString::fromStdString(path(name))}));
        const Probe probe = decoder_->probe(path(name));
        QCOMPARE(probe.kind, Kind::Audio);
        QVERIFY2(std::abs(probe.duration - 12) < 0.1, qPrintable(QString::number(probe.duration)));

        const auto whole = decoder_->sound(path(name), 0, 60).samples;
        QVERIFY2(std::abs(whole.size() / double(kSampleRate) - 12) < 0.1, qPrintable(QString::number(whole.size())));
        for (int second : {1, 6, 10}) {
            const std::vector<float> part(
                whole.begin() + second * kSampleRate, whole.begin() + (second + 1) * kSampleRate);
            // A surround file's centre is quieter in the normalised mix, but there is nothing else in it.
            QVERIFY2(amplitude(part, 400 + 100 * second) > 0.97 * std::sqrt(2) * rms(part) && rms(part) > 0.05,
                qPrintable(QString::number(second)));
        }

        // Ranges are what the whole gives there.
        for (const auto& [from, to] :
            {std::pair{0.0, 5.0}, std::pair{5.0, 10.0}, std::pair{3.3337, 3.9}, std::pair{11.0, 20.0}}) {
            const Sound part = decoder_->sound(path(name), from, to);
            const auto first = static_cast<size_t>(std::llround(from * kSampleRate));
            if (to <= 10)
                QCOMPARE(part.samples.size(), static_cast<size_t>(std::llround(to * kSampleRate)) - first);
            QVERIFY(first + part.samples.size() <= whole.size() + (exact ? 2 : 800));
            double worst = 0;
            for (size_t i = 0; i < part.samples.size() && first + i < whole.size(); ++i)
                worst = std::max(worst, double(std::abs(part.samples[i] - whole[first + i])));
            if (exact)
                QVERIFY2(worst < 1e-3, qPrintable(QString("%1 to %2: %3").arg(from).arg(to).arg(worst)));
            else if (from == 5)
                QVERIFY2(shift(part.samples, whole, first) < 48,
                    qPrintable(QString::number(shift(part.samples, whole, first))));
        }
        QVERIFY(decoder_->sound(path(name), 100, 101).samples.empty());
    }

    void a_sound_track_that_starts_late_has_silence_before()
    {
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", "color=red:s=64x64:d=4:r=10", "-itsoffset", "1.5", "-f", "lavfi", "-i",
            "sine=1000:d=2:r=44100", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le",
            QString::fromStdString(path("late.mkv"))}));
        const auto samples = decoder_->sound(path("late.mkv"), 0, 4).samples;
        const auto loud
            = std::find_if(samples.begin(), samples.end(), [](float sample) { return std::abs(sample) > 0.02; });
        QVERIFY2(std::abs((loud - samples.begin()) / double(kSampleRate) - 1.5) < 0.01,
            qPrintable(QString::number(loud - samples.begin())));
    }

    void samples_stay_within_one()
    {
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", "aevalsrc='3*sin(2*PI*300*t)':s=48000:d=1", "-c:a", "pcm_f32le",
            QString::fromStdString(path("loud.wav"))}));
        const auto samples = decoder_->sound(path("loud.wav"), 0, 1).samples;
        const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
        QVERIFY(*low >= -1 && *high <= 1 && *high > 0.99);
    }

    void a_cut_file_gives_what_is_there()
    {
        const std::string bytes = wav(tone(440, 4, 16000), 1, 16000);
        QVERIFY(write_file(path("cut.wav"), bytes.substr(0, bytes.size() / 2)));
        QVERIFY(std::abs(decoder_->probe(path("cut.wav")).duration - 2) < 0.01);
        QVERIFY(std::abs(int(decoder_->sound(path("cut.wav"), 0, 10).samples.size()) - 2 * kSampleRate) < 200);
    }

    void ranges_that_make_no_sense_are_refused()
    {
        QVERIFY(write_file(path("range.wav"), wav(tone(440, 1, 16000), 1, 16000)));
        for (const auto& [from, to] :
            {std::pair{-1.0, 1.0}, std::pair{2.0, 1.0}, std::pair{0.0, 601.0}, std::pair{0.0, double(NAN)}})
            QVERIFY(failure_of([&] { decoder_->sound(path("range.wav"), from, to); }).reason().find("600")
                != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(SoundTest)
#include "tst_sound.moc"
