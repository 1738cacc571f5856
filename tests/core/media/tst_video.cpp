// SPDX-License-Identifier: Apache-2.0
// Video: the frame shown at a time, whatever the codec, container, timing, rotation and depth. The test videos carry
// their frame number as two grey levels, so that a picture tells which frame it is.
#include <QTest>

#include "media_tools.h"

using namespace imprint;
using namespace imprint::media;
using namespace imprint::media::test;

namespace
{

constexpr double kRate = 25;
constexpr const char* kNumbered = "nullsrc=s=160x96:r=25:d=8,geq=lum='if(lt(X,W/2),16+13*mod(N,16),16+13*floor(N/16))':"
                                  "cb=128:cr=128";

int grey(const Picture& picture, double x, double y = 0.5)
{
    return picture.rgb[3 * (size_t(y * picture.height) * picture.width + size_t(x * picture.width)) + 1];
}

int number(const Picture& picture)
{
    const auto digit = [&](double x) { return static_cast<int>(std::lround(grey(picture, x) * 219.0 / 255 / 13)); };
    return digit(0.25) + 16 * digit(0.75);
}

} // namespace

class Video : public QObject
{
    Q_OBJECT

    QTemporaryDir dir_;
    std::unique_ptr<Decoder> decoder_;

    QString path(const QString& name) const { return dir_.filePath(name); }
    std::vector<Picture> frames(const QString& name, const std::vector<double>& times, const Fit& fit = {{}, 160})
    {
        return decoder_->frames(path(name).toStdString(), times, fit);
    }
    bool numbered(const QString& name, const QStringList& coding)
    {
        return ffmpeg(
            QStringList{"-i", path("numbered.mkv"), "-pix_fmt", "yuv420p"} + coding + QStringList{path(name)});
    }

private Q_SLOTS:
    void initTestCase()
    {
        decoder_ = std::make_unique<Decoder>(options());
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", kNumbered, "-c:v", "ffv1", "-pix_fmt", "yuv420p", path("numbered.mkv")}));
    }

    void the_frame_shown_at_a_time_is_found_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QStringList>("coding");
        const QStringList x264{"-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"};
        QTest::newRow("H.264 with B-frames, MP4") << "b.mp4" << x264 + QStringList{"-bf", "3", "-g", "40"};
        QTest::newRow("H.264, one keyframe only") << "one.mp4" << x264 + QStringList{"-g", "1000"};
        QTest::newRow("H.264, open groups")
            << "open.mp4" << x264 + QStringList{"-x264-params", "open-gop=1:keyint=30:bframes=3"};
        QTest::newRow("H.264, fragmented MP4")
            << "frag.mp4" << x264 + QStringList{"-g", "40", "-movflags", "frag_keyframe+empty_moov"};
        QTest::newRow("H.264, Matroska") << "b.mkv" << x264 + QStringList{"-bf", "3", "-g", "40"};
        QTest::newRow("H.264, transport stream") << "b.ts" << x264 + QStringList{"-bf", "3", "-g", "40"};
        QTest::newRow("H.264, starting late") << "late.mkv" << x264 + QStringList{"-g", "40", "-output_ts_offset", "7"};
        QTest::newRow("H.264 10 bits") << "ten.mp4"
                                       << QStringList{"-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-g", "40"};
        QTest::newRow("H.265 10 bits") << "hevc.mp4"
                                       << QStringList{"-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt",
                                              "yuv420p10le", "-x265-params", "log-level=none:keyint=40"};
        QTest::newRow("H.264 4:4:4") << "full.mp4" << QStringList{"-c:v", "libx264", "-pix_fmt", "yuv444p"};
        QTest::newRow("VP9, WebM") << "v.webm"
                                   << QStringList{
                                          "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "40"};
        QTest::newRow("MPEG-2, program stream")
            << "v.mpg" << QStringList{"-c:v", "mpeg2video", "-b:v", "4M", "-g", "15", "-bf", "2"};
        QTest::newRow("MPEG-4, AVI") << "v.avi" << QStringList{"-c:v", "mpeg4", "-q:v", "2", "-g", "40"};
        QTest::newRow("Theora, Ogg") << "v.ogv" << QStringList{"-c:v", "libtheora", "-q:v", "9"};
        QTest::newRow("Motion JPEG, QuickTime")
            << "v.mov" << QStringList{"-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p"};
    }
    void the_frame_shown_at_a_time_is_found()
    {
        QFETCH(QString, name);
        QFETCH(QStringList, coding);
        QVERIFY(numbered(name, coding));
        const Probe probe = decoder_->probe(path(name).toStdString());
        QCOMPARE(probe.kind, Kind::Video);
        QCOMPARE(probe.width, 160);
        QCOMPARE(probe.height, 96);
        QVERIFY2(std::abs(probe.duration - 8) < 0.1, qPrintable(QString::number(probe.duration)));

        // From the start, in steps, with leaps, twice the same, between two frames, the end, and past it.
        const std::vector<double> times{0, 0.041, 0.5, 0.5, 1.0, 3.33, 3.37, 6.0, 7.97, 30};
        const std::vector<int> wanted{0, 1, 12, 12, 25, 83, 84, 150, 199, 199};
        const auto pictures = frames(name, times);
        QCOMPARE(pictures.size(), times.size());
        for (size_t i = 0; i < times.size(); ++i) {
            QCOMPARE(number(pictures[i]), wanted[i]);
            QVERIFY2(
                std::abs(pictures[i].time - wanted[i] / kRate) < 0.003, qPrintable(QString::number(pictures[i].time)));
        }
        // A leap into the middle, alone, gives what decoding through gives.
        for (const int wanted_number : {199, 61, 40, 39, 120}) {
            const auto one = frames(name, {wanted_number / kRate + 0.01});
            QCOMPARE(number(one[0]), wanted_number);
        }
    }

    void a_variable_rate_goes_by_the_timestamps()
    {
        // Of 200 frames every third, and the first 20 all: the rate changes from 25 to 8.3 a second.
        QVERIFY(ffmpeg({"-i", path("numbered.mkv"), "-vf", "select='lt(n,20)+not(mod(n,3))'", "-fps_mode", "vfr",
            "-c:v", "libx264", "-bf", "2", "-g", "30", "-pix_fmt", "yuv420p", path("vfr.mkv")}));
        std::vector<double> times;
        for (int i = 0; i < 190; i += 7)
            times.push_back(i / kRate + 0.01);
        const auto pictures = frames("vfr.mkv", times);
        for (size_t i = 0; i < times.size(); ++i) {
            const int n = static_cast<int>(i) * 7;
            QCOMPARE(number(pictures[i]), n < 20 ? n : n / 3 * 3 >= 20 ? n / 3 * 3 : 19);
        }
    }

    void every_display_matrix_is_followed_data()
    {
        QTest::addColumn<int>("a");
        QTest::addColumn<int>("b");
        QTest::addColumn<int>("c");
        QTest::addColumn<int>("d");
        QTest::newRow("none") << 1 << 0 << 0 << 1;
        QTest::newRow("90") << 0 << 1 << -1 << 0;
        QTest::newRow("180") << -1 << 0 << 0 << -1;
        QTest::newRow("270") << 0 << -1 << 1 << 0;
        QTest::newRow("mirrored") << -1 << 0 << 0 << 1;
        QTest::newRow("upside down") << 1 << 0 << 0 << -1;
        QTest::newRow("transposed") << 0 << 1 << 1 << 0;
        QTest::newRow("anti-transposed") << 0 << -1 << -1 << 0;
    }
    void every_display_matrix_is_followed()
    {
        QFETCH(int, a);
        QFETCH(int, b);
        QFETCH(int, c);
        QFETCH(int, d);
        // Four greys: 1 2 over 3 4.
        const QString four = "nullsrc=s=160x96:r=25:d=0.4,geq=lum='40+45*(gte(X,W/2)+2*gte(Y,H/2))':cb=128:cr=128";
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", four, "-c:v", "libx264", "-pix_fmt", "yuv420p", path("turned.mp4")}));
        std::string bytes = read_file(path("turned.mp4").toStdString());
        const size_t header = bytes.find("tkhd");
        QVERIFY(header != std::string::npos);
        const int matrix[] = {a, b, 0, c, d, 0, 0, 0, 0};
        for (int i = 0; i < 8; ++i)
            for (int byte = 0; byte < 4; ++byte)
                bytes[header + 44 + i * 4 + byte] = static_cast<char>((matrix[i] * 65536) >> (24 - 8 * byte));
        QVERIFY(write_file(path("turned.mp4").toStdString(), bytes));

        const bool swapped = a == 0;
        const Probe probe = decoder_->probe(path("turned.mp4").toStdString());
        QCOMPARE(probe.width, swapped ? 96 : 160);
        QCOMPARE(probe.height, swapped ? 160 : 96);
        const Picture picture = frames("turned.mp4", {0})[0];
        QCOMPARE(picture.width, probe.width);
        for (int y = 0; y < 2; ++y)
            for (int x = 0; x < 2; ++x) {
                // Corners as -1 and 1: the matrix carries a stored one to where it is seen.
                const int p = 2 * x - 1, q = 2 * y - 1;
                const int seen_x = a * p + c * q, seen_y = b * p + d * q;
                const int wanted = (40 + 45 * (x + 2 * y) - 16) * 255 / 219;
                const int seen = grey(picture, 0.5 + 0.3 * seen_x, 0.5 + 0.3 * seen_y);
                QVERIFY2(std::abs(seen - wanted) < 12, qPrintable(QString("%1 %2: %3").arg(x).arg(y).arg(seen)));
            }
    }

    void pixels_that_are_not_square_are_stretched()
    {
        QVERIFY(numbered("sar.mp4", {"-vf", "setsar=2/1", "-c:v", "libx264", "-pix_fmt", "yuv420p"}));
        QCOMPARE(decoder_->probe(path("sar.mp4").toStdString()).width, 320);
        const Picture picture = frames("sar.mp4", {1}, {{}, 320})[0];
        QCOMPARE(picture.width, 320);
        QCOMPARE(picture.height, 96);
    }

    void colours_follow_matrix_and_range_data()
    {
        QTest::addColumn<QString>("filter");
        QTest::addColumn<QStringList>("coding");
        QTest::newRow("BT.601, limited") << "scale=out_color_matrix=bt601:out_range=tv,format=yuv444p"
                                         << QStringList{"-colorspace", "smpte170m", "-color_range", "tv"};
        QTest::newRow("BT.709, limited") << "scale=out_color_matrix=bt709:out_range=tv,format=yuv444p"
                                         << QStringList{"-colorspace", "bt709", "-color_range", "tv"};
        QTest::newRow("BT.709, full") << "scale=out_color_matrix=bt709:out_range=pc,format=yuv444p"
                                      << QStringList{"-colorspace", "bt709", "-color_range", "pc"};
        QTest::newRow("BT.2020, 10 bits") << "scale=out_color_matrix=bt2020:out_range=tv,format=yuv444p10le"
                                          << QStringList{"-colorspace", "bt2020nc", "-color_range", "tv"};
    }
    void colours_follow_matrix_and_range()
    {
        QFETCH(QString, filter);
        QFETCH(QStringList, coding);
        QVERIFY(ffmpeg(QStringList{"-f", "lavfi", "-i", "color=0xC83214:s=64x64:d=0.2,format=rgb24", "-vf", filter,
                           "-c:v", "libx264", "-qp", "1"}
            + coding + QStringList{path("colour.mp4")}));
        const Picture picture = frames("colour.mp4", {0})[0];
        const auto* pixel = &picture.rgb[3 * (32 * 64 + 32)];
        const QString seen = QString("%1 %2 %3").arg(pixel[0]).arg(pixel[1]).arg(pixel[2]);
        QVERIFY2(std::abs(pixel[0] - 0xC8) <= 4 && std::abs(pixel[1] - 0x32) <= 4 && std::abs(pixel[2] - 0x14) <= 4,
            qPrintable(seen));
    }

    void frames_fit_exactly_where_asked()
    {
        QVERIFY(numbered("fit.mp4", {"-c:v", "libx264", "-pix_fmt", "yuv420p"}));
        for (const Picture& picture : frames("fit.mp4", {1, 2}, {{{224, 224}, {280, 168}}, 0})) {
            QCOMPARE(picture.width, 280);
            QCOMPARE(picture.height, 168);
        }
    }

    void a_length_that_the_header_lacks_is_measured()
    {
        QVERIFY(ffmpeg({"-i", path("numbered.mkv"), "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-f",
            "webm", "-live", "1", path("live.webm")}));
        QVERIFY(std::abs(decoder_->probe(path("live.webm").toStdString()).duration - 8) < 0.1);
        QCOMPARE(number(frames("live.webm", {5.01})[0]), 125);
    }

    void a_sound_track_belongs_to_the_video()
    {
        QVERIFY(ffmpeg(
            {"-i", path("numbered.mkv"), "-f", "lavfi", "-i", "sine=1000:d=8:r=48000", "-c:v", "libx264", "-pix_fmt",
                "yuv420p", "-c:a", "aac", "-metadata", "creation_time=2020-02-03T04:05:06Z", path("sound.mp4")}));
        const Probe probe = decoder_->probe(path("sound.mp4").toStdString());
        QCOMPARE(probe.kind, Kind::Video);
        QVERIFY(probe.has_sound);
        QCOMPARE(QString::fromStdString(probe.format), "mov,mp4");
        QCOMPARE(probe.taken_at.value_or(0), int64_t(1580702706));
        const Sound sound = decoder_->sound(path("sound.mp4").toStdString(), 2, 4);
        QCOMPARE(sound.start, 2.0);
        QCOMPARE(sound.samples.size(), size_t(2 * kSampleRate));
    }

    void a_cover_makes_no_video()
    {
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", path("cover.png")}));
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", "sine=d=2", "-i", path("cover.png"), "-map", "0", "-map", "1", "-c:a",
            "aac", "-c:v", "png", "-disposition:v", "attached_pic", path("song.m4a")}));
        const Probe probe = decoder_->probe(path("song.m4a").toStdString());
        QCOMPARE(probe.kind, Kind::Audio);
        QVERIFY(probe.has_sound);
        const double times[] = {0.0};
        QCOMPARE(failure_of([&] { decoder_->frames(path("song.m4a").toStdString(), times, {}); }).kind(),
            ErrorKind::Unsupported);
    }

    void overwritten_bytes_in_the_middle_leave_the_rest_data()
    {
        QTest::addColumn<QString>("name");
        QTest::newRow("MP4") << "damaged.mp4";
        QTest::newRow("transport stream") << "damaged.ts";
        QTest::newRow("Matroska") << "damaged.mkv";
    }
    void overwritten_bytes_in_the_middle_leave_the_rest()
    {
        QFETCH(QString, name);
        QVERIFY(numbered(name,
            QStringList{"-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "25", "-bf", "0"}
                + (name.endsWith("mp4")        ? QStringList{"-movflags", "faststart"}
                        : name.endsWith("mkv") ? QStringList{"-cluster_time_limit", "500"}
                                               : QStringList{})));
        std::string bytes = read_file(path(name).toStdString());
        const std::string noise = random_bytes(bytes.size() / 20, 5);
        bytes.replace(bytes.size() / 2, noise.size(), noise);
        QVERIFY(write_file(path(name).toStdString(), bytes));
        const auto pictures = frames(name, {0.01, 1.01, 7.81});
        QCOMPARE(number(pictures[0]), 0);
        QCOMPARE(number(pictures[1]), 25);
        QCOMPARE(number(pictures[2]), 195);
    }

    void too_many_or_unordered_times_are_refused()
    {
        QVERIFY(numbered("few.mp4", {"-c:v", "libx264", "-pix_fmt", "yuv420p"}));
        QCOMPARE(failure_of([&] { frames("few.mp4", std::vector<double>(257, 0)); }).kind(), ErrorKind::Usage);
        QVERIFY(failure_of([&] { frames("few.mp4", {2, 1}); }).reason().find("ascending") != std::string::npos);
        QVERIFY(frames("few.mp4", {}).empty());
    }
};

QTEST_GUILESS_MAIN(Video)
#include "tst_video.moc"
