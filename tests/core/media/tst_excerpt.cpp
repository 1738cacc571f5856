// SPDX-License-Identifier: Apache-2.0
// Clips: what is cut out of a file shows and sounds as the file does there, when it is decoded again.
#include <QTest>
#include <algorithm>

#include "media_tools.h"

using namespace imprint;
using namespace imprint::media;
using namespace imprint::media::test;
namespace fs = std::filesystem;

namespace {

constexpr double from = 3.3, to = 5.3;

double difference(const Picture& a, const Picture& b)
{
    double sum = 0;
    for (size_t i = 0; i < a.rgb.size(); ++i)
        sum += std::abs(int(a.rgb[i]) - int(b.rgb[i]));
    return sum / static_cast<double>(a.rgb.size());
}

/// By how many seconds `part` lies beside where it should in `whole`, 0.15 at most; `first` seconds into both.
double shift(const std::vector<float>& part, const std::vector<float>& whole)
{
    constexpr int most = kSampleRate * 15 / 100, length = kSampleRate / 2, first = kSampleRate / 2;
    int best = most;
    double least = 1e30;
    for (int by = -most; by <= most; ++by) {
        double sum = 0;
        for (int i = first; i < first + length; i += 3)
            sum += std::abs(part[static_cast<size_t>(i)] - whole[static_cast<size_t>(i + by)]);
        if (sum < least) {
            least = sum;
            best = by;
        }
    }
    return double(best) / kSampleRate;
}

}  // namespace

class ExcerptTest : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    Decoder decoder_{options()};
    // The tone climbs, so that no span sounds like another.
    const QStringList moving_{"-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=8"};
    const QStringList climbing_{"-f", "lavfi", "-i", "aevalsrc='0.5*sin(2*PI*(200+60*t)*t)':s=44100:d=8"};

    fs::path cut(const Excerpt& excerpt)
    {
        const fs::path file = dir_.filePath("cut." + QString::fromStdString(excerpt.ending)).toStdString();
        return write_file(file, std::string(excerpt.bytes.begin(), excerpt.bytes.end())) ? file : fs::path();
    }

    void compare_sound(const fs::path& source, const fs::path& clip, double start, double tolerance)
    {
        const Sound whole = decoder_.sound(source, start, start + 1.9), part = decoder_.sound(clip, 0, 1.9);
        QVERIFY(part.samples.size() >= size_t(1.2 * kSampleRate));
        const double beside = shift(part.samples, whole.samples);
        QVERIFY2(std::abs(beside) <= tolerance, qPrintable(QStringLiteral("%1 s beside").arg(beside)));
    }

private Q_SLOTS:
    void a_clip_of_a_video_shows_what_the_file_shows_there_data()
    {
        QTest::addColumn<QStringList>("coding");
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("ending");
        const QStringList x264{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-g", "60"};
        const QStringList aac{"-c:a", "aac"};
        QTest::newRow("H.264 with pictures out of order in MP4") << x264 + aac << "a.mp4"
                                                                 << "mp4";
        QTest::newRow("H.264 in Matroska") << x264 + aac << "a.mkv"
                                           << "mp4";
        QTest::newRow("H.264 in a transport stream") << x264 + aac << "a.ts"
                                                     << "mp4";
        QTest::newRow("H.264 and MP3 in Flash") << x264 + QStringList{"-c:a", "libmp3lame"} << "a.flv"
                                                << "mp4";
        QTest::newRow("H.264 without sound") << x264 + QStringList{"-an"} << "b.mp4"
                                             << "mp4";
        QTest::newRow("MPEG-4 in AVI") << QStringList{"-c:v", "mpeg4", "-g", "50", "-c:a", "libmp3lame"} << "a.avi"
                                       << "mp4";
        QTest::newRow("VP9 and Opus in WebM")
            << QStringList{"-c:v", "libvpx-vp9", "-cpu-used", "8", "-g", "50", "-c:a", "libopus"} << "a.webm"
            << "mp4";
        QTest::newRow("VP8 and Vorbis in WebM")
            << QStringList{"-c:v", "libvpx", "-cpu-used", "8", "-g", "50", "-c:a", "libvorbis"} << "b.webm"
            << "mkv";
        QTest::newRow("MPEG-2 in a program stream") << QStringList{"-c:v", "mpeg2video", "-g", "25", "-c:a", "mp2"} << "a.mpg"
                                                    << "mkv";
        QTest::newRow("MPEG-4 with sound that is not coded")
            << QStringList{"-c:v", "mpeg4", "-g", "50", "-c:a", "pcm_s16le"} << "c.mkv"
            << "mkv";
    }
    void a_clip_of_a_video_shows_what_the_file_shows_there()
    {
        QFETCH(QStringList, coding);
        QFETCH(QString, name);
        QFETCH(QString, ending);
        const QString made = dir_.filePath(name);
        QVERIFY(ffmpeg(moving_ + climbing_ + coding + QStringList{made}));
        const fs::path source = made.toStdString();
        const Excerpt excerpt = decoder_.excerpt(source, from, to);
        QCOMPARE(QString::fromStdString(excerpt.ending), ending);
        if (ending == "mp4")
            QCOMPARE(excerpt.start, from);
        QVERIFY2(excerpt.start <= from + 0.001 && excerpt.start >= from - 3, qPrintable(QString::number(excerpt.start)));

        const fs::path clip = cut(excerpt);
        const Probe probe = decoder_.probe(clip), whole = decoder_.probe(source);
        QCOMPARE(probe.kind, Kind::Video);
        QCOMPARE(probe.has_sound, whole.has_sound);
        QCOMPARE(probe.width, 160);
        const double length = to - excerpt.start;
        QVERIFY2(std::abs(probe.duration - length) < 0.25, qPrintable(QStringLiteral("%1 s").arg(probe.duration)));
        const Fit fit{{{160, 120}}, 0};
        std::vector<double> in_clip, in_file;
        for (double at = 0.02; at < length - 0.2; at += 0.28) {
            in_clip.push_back(at);
            in_file.push_back(excerpt.start + at);
        }
        const auto shown = decoder_.frames(clip, in_clip, fit), wanted = decoder_.frames(source, in_file, fit);
        for (size_t i = 0; i < shown.size(); ++i) {
            const double off = difference(shown[i], wanted[i]);
            QVERIFY2(off < 1, qPrintable(QStringLiteral("at %1 s: %2").arg(in_clip[i]).arg(off)));
        }
        if (probe.has_sound)
            compare_sound(source, clip, excerpt.start, 0.045);
    }

    void a_clip_of_a_sound_sounds_as_the_file_does_there_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("ending");
        QTest::addColumn<double>("tolerance");
        QTest::newRow("WAV") << "a.wav"
                             << "wav" << 0.0001;
        QTest::newRow("FLAC") << "a.flac"
                              << "m4a" << 0.001;
        QTest::newRow("AAC") << "a.m4a"
                             << "m4a" << 0.03;
        QTest::newRow("MP3") << "a.mp3"
                             << "mp3" << 0.06;
        QTest::newRow("Vorbis") << "a.ogg"
                                << "ogg" << 0.06;
        QTest::newRow("Opus") << "a.opus"
                              << "ogg" << 0.06;
        QTest::newRow("AIFF") << "a.aiff"
                              << "mka" << 0.001;
    }
    void a_clip_of_a_sound_sounds_as_the_file_does_there()
    {
        QFETCH(QString, name);
        QFETCH(QString, ending);
        QFETCH(double, tolerance);
        const QString made = dir_.filePath(name);
        QVERIFY(ffmpeg(climbing_ + QStringList{"-ac", "2", made}));
        const fs::path source = made.toStdString();
        const Excerpt excerpt = decoder_.excerpt(source, from, to);
        QCOMPARE(QString::fromStdString(excerpt.ending), ending);
        QVERIFY2(std::abs(excerpt.start - from) <= (ending == "wav" || ending == "m4a" ? 0 : 0.1),
                 qPrintable(QString::number(excerpt.start)));
        const fs::path clip = cut(excerpt);
        const Probe probe = decoder_.probe(clip);
        QCOMPARE(probe.kind, Kind::Audio);
        QVERIFY2(std::abs(probe.duration - (to - excerpt.start)) < 0.15, qPrintable(QString::number(probe.duration)));
        compare_sound(source, clip, excerpt.start, tolerance);
    }

    void a_turned_picture_stays_turned_and_the_same_cut_gives_the_same_bytes()
    {
        const QString plain = dir_.filePath("plain.mp4"), turned = dir_.filePath("turned.mp4");
        QVERIFY(ffmpeg(moving_ + QStringList{"-c:v", "libx264", "-preset", "ultrafast", plain}));
        QVERIFY(ffmpeg({"-i", plain, "-c", "copy", "-metadata:s:v", "rotate=90", turned}));
        const fs::path source = turned.toStdString();
        const Probe whole = decoder_.probe(source);
        QCOMPARE(whole.height, 160);
        const Excerpt one = decoder_.excerpt(source, 1, 2), other = decoder_.excerpt(source, 1, 2);
        QVERIFY(std::equal(one.bytes.begin(), one.bytes.end(), other.bytes.begin(), other.bytes.end()));
        QCOMPARE(decoder_.probe(cut(one)).height, 160);
    }

    void a_span_is_clipped_to_the_file_and_what_has_none_is_refused()
    {
        const QString made = dir_.filePath("short.mp4"), picture = dir_.filePath("a.png");
        QVERIFY(ffmpeg(moving_ + QStringList{"-t", "2", "-c:v", "mpeg4", made}));
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", "testsrc=s=32x32", "-frames:v", "1", picture}));
        const fs::path source = made.toStdString();
        QVERIFY(std::abs(decoder_.probe(cut(decoder_.excerpt(source, 0, 60))).duration - 2) < 0.1);
        QCOMPARE(failure_of([&] { decoder_.excerpt(picture.toStdString(), 0, 1); }).kind(), ErrorKind::Unsupported);
        QCOMPARE(failure_of([&] { decoder_.excerpt(source, 1, 1); }).kind(), ErrorKind::Usage);
        QCOMPARE(failure_of([&] { decoder_.excerpt(source, -1, 1); }).kind(), ErrorKind::Usage);
        QCOMPARE(failure_of([&] { decoder_.excerpt(dir_.filePath("none.mp4").toStdString(), 0, 1); }).kind(),
                 ErrorKind::NotFound);
    }
};

QTEST_GUILESS_MAIN(ExcerptTest)
#include "tst_excerpt.moc"
