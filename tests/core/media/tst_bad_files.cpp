// SPDX-License-Identifier: Apache-2.0
// Files that are not what they seem: each costs one call and is named with its reason.
#include <QTest>

#include <sys/stat.h>
#include <unistd.h>

#include "media_tools.h"

using namespace imprint;
using namespace imprint::media;
using namespace imprint::media::test;
namespace fs = std::filesystem;

class BadFiles : public QObject
{
    Q_OBJECT

    QTemporaryDir dir_;
    fs::path folder_;
    std::unique_ptr<Decoder> decoder_;

    fs::path make(const std::string& name, const std::string& bytes)
    {
        const fs::path path = folder_ / name;
        if (!write_file(path, bytes))
            qFatal("cannot write a test file");
        return path;
    }

    // A PNG whose header states a size and whose data is one empty block.
    static std::string png_header(uint32_t width, uint32_t height)
    {
        const auto number = [](uint32_t value) {
            return std::string{char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
        };
        const auto checksum = [](const std::string& bytes) {
            uint32_t crc = 0xffffffff;
            for (unsigned char byte : bytes) {
                crc ^= byte;
                for (int bit = 0; bit < 8; ++bit)
                    crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
            }
            return ~crc;
        };
        const auto chunk = [&](const std::string& type, const std::string& data) {
            return number(static_cast<uint32_t>(data.size())) + type + data + number(checksum(type + data));
        };
        return std::string("\x89PNG\r\n\x1a\n", 8)
            + chunk("IHDR", number(width) + number(height) + std::string("\x08\x02\x00\x00\x00", 5))
            + chunk("IDAT", std::string("\x78\x9c\x03\x00\x00\x00\x00\x01", 8)) + chunk("IEND", "");
    }

private Q_SLOTS:
    void initTestCase()
    {
        folder_ = dir_.path().toStdString();
        DecoderOptions settings = options();
        settings.limits.timeout = 10;
        decoder_ = std::make_unique<Decoder>(settings);
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", "testsrc=s=640x480", "-frames:v", "1", dir_.filePath("whole.jpg")}));
        QVERIFY(
            ffmpeg({"-f", "lavfi", "-i", "testsrc=s=160x120:d=1", "-pix_fmt", "yuv420p", dir_.filePath("whole.mp4")}));
    }

    // QTemporaryDir cannot remove names that are not UTF-8.
    void cleanupTestCase() { fs::remove_all(folder_); }

    void fails_with_its_kind_and_reason_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("reason");
        const auto row = [](const char* name, const fs::path& path, const char* kind, const char* reason) {
            QTest::newRow(name) << QString::fromStdString(path.string()) << QString(kind) << QString(reason);
        };
        const std::string jpeg = read_file(folder_ / "whole.jpg"), mp4 = read_file(folder_ / "whole.mp4");

        row("a text named .jpg", make("text.jpg", "Dear diary, today I renamed a file.\n"), "unsupported",
            "is not an image, video or sound file");
        row("an empty .png", make("empty.png", ""), "malformed", "is empty");
        row("one byte", make("byte.png", "x"), "unsupported", "is not an image");
        row("a third of a JPEG", make("third.jpg", jpeg.substr(0, jpeg.size() / 3)), "malformed", "is damaged");
        row("a JPEG without its last bytes", make("tail.jpg", jpeg.substr(0, jpeg.size() - 200)), "malformed",
            "is damaged");
        row("a JPEG's first 30 bytes", make("stub.jpg", jpeg.substr(0, 30)), "malformed", "is damaged");
        row("a 30,000 x 30,000 PNG", make("bomb.png", png_header(30000, 30000)), "limit-exceeded",
            "30000 x 30000 pixels");
        row("a PNG without pixels", make("hollow.png", png_header(30, 30)), "malformed", "is damaged");
        row("a video without its index", make("cut.mp4", mp4.substr(0, mp4.size() / 2)), "malformed", "moov");
        row("random bytes", make("noise.bin", random_bytes(100000, 7)), "unsupported", "is not an image");
        row("zeros", make("zeros.wav", std::string(50000, '\0')), "unsupported", "is not an image");
        row("an SVG", make("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"),
            "unsupported", "SVG");
        row("a PDF", make("paper.pdf", "%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"), "unsupported", "PDF");
        row("a playlist",
            make("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nwhole.mp4\n#EXT-X-ENDLIST\n"),
            "unsupported", "playlist");
        row("a concat list", make("list.ffconcat", "ffconcat version 1.0\nfile whole.mp4\n"), "unsupported",
            "playlist");
        row("subtitles", make("film.srt", "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n"), "unsupported",
            "is not an image");
        row("nothing", folder_ / "missing.jpg", "not-found", "does not exist");
        fs::create_symlink("nowhere.jpg", folder_ / "dangling.jpg");
        row("a dangling link", folder_ / "dangling.jpg", "unsupported", "symbolic link");
        fs::create_symlink("whole.jpg", folder_ / "link.jpg");
        row("a link", folder_ / "link.jpg", "unsupported", "symbolic link");
        if (mkfifo((folder_ / "pipe.jpg").c_str(), 0600) != 0)
            qFatal("cannot make a FIFO");
        row("a FIFO", folder_ / "pipe.jpg", "unsupported", "not a regular file");
        row("a device", "/dev/zero", "unsupported", "not a regular file");
        row("a folder", folder_, "unsupported", "is a folder");
    }
    void fails_with_its_kind_and_reason()
    {
        QFETCH(QString, path);
        QFETCH(QString, kind);
        QFETCH(QString, reason);
        const fs::path file = path.toStdString();
        const std::string names[] = {"probe", "still", "frames", "sound"};
        const double times[] = {0.0};
        // A truncated still may have a good header; every other operation fails alike.
        Error error = failure_of([&] { decoder_->probe(file); });
        if (error.kind() == ErrorKind::Usage)
            error = failure_of([&] { decoder_->still(file, {}); });
        QCOMPARE(QString(error_kind_name(error.kind())), kind);
        QVERIFY2(QString::fromStdString(error.reason()).contains(reason), error.what());
        QCOMPARE(error.subject(), file.native());
        QVERIFY(std::string(error.what()).find(file.native()) != std::string::npos);

        for (const Error& other :
            {failure_of([&] { decoder_->still(file, {}); }), failure_of([&] { decoder_->frames(file, times, {}); }),
                failure_of([&] { decoder_->sound(file, 0, 1); })}) {
            QVERIFY2(other.kind() != ErrorKind::Usage && other.kind() != ErrorKind::Crashed, other.what());
            QCOMPARE(other.subject(), file.native());
        }
    }

    void an_unreadable_file_is_a_permission_error()
    {
        const fs::path file = make("secret.jpg", read_file(folder_ / "whole.jpg"));
        QCOMPARE(chmod(file.c_str(), 0), 0);
        QCOMPARE(chmod(folder_.c_str(), 0755), 0);
        const bool root = geteuid() == 0; // root may read everything, so somebody else asks
        if (root)
            QCOMPARE(seteuid(65534), 0);
        const Error error = failure_of([&] { decoder_->probe(file); });
        if (root)
            QCOMPARE(seteuid(0), 0);
        QCOMPARE(error_kind_name(error.kind()), "permission");
        QCOMPARE(error.subject(), file.native());
    }

    void a_name_that_is_not_utf8_is_read_and_named()
    {
        const fs::path good = make("caf\xe9.jpg", read_file(folder_ / "whole.jpg"));
        QCOMPARE(decoder_->probe(good).width, 640);
        const fs::path bad = make("\xff\xfe.png", "nothing");
        QCOMPARE(failure_of([&] { decoder_->probe(bad); }).subject(), bad.native());
    }

    void a_wrong_ending_changes_nothing()
    {
        const fs::path file = make("picture.mp3", read_file(folder_ / "whole.jpg"));
        QCOMPARE(decoder_->probe(file).kind, Kind::Image);
        const fs::path video = make("video.png", read_file(folder_ / "whole.mp4"));
        QCOMPARE(decoder_->probe(video).kind, Kind::Video);
    }

    void an_operation_that_does_not_fit_the_kind_says_so()
    {
        const double times[] = {0.0};
        QCOMPARE(failure_of([&] { decoder_->still(folder_ / "whole.mp4", {}); }).reason(), "is not a still image");
        QCOMPARE(
            failure_of([&] { decoder_->frames(folder_ / "whole.jpg", times, {}); }).kind(), ErrorKind::Unsupported);
        QCOMPARE(failure_of([&] { decoder_->sound(folder_ / "whole.mp4", 0, 1); }).reason(), "has no sound");
        QCOMPARE(failure_of([&] { decoder_->sound(folder_ / "whole.jpg", 0, 1); }).kind(), ErrorKind::Unsupported);
    }

    void bytes_overwritten_anywhere_never_cost_more_than_the_call_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : {"whole.jpg", "whole.mp4"})
            QTest::newRow(name) << QString(name);
    }
    void bytes_overwritten_anywhere_never_cost_more_than_the_call()
    {
        QFETCH(QString, name);
        const std::string whole = read_file(folder_ / name.toStdString());
        std::mt19937 generator(3);
        for (int round = 0; round < 60; ++round) {
            std::string bytes = whole;
            for (int i = 0; i < 1 + round; ++i)
                bytes[generator() % bytes.size()] = static_cast<char>(generator());
            const fs::path file = make("overwritten", bytes);
            try {
                const Probe probe = decoder_->probe(file);
                const double times[] = {0, 0.5};
                if (probe.kind == Kind::Image)
                    decoder_->still(file, {{}, 64});
                else if (probe.kind == Kind::Video)
                    decoder_->frames(file, times, {{}, 64});
            } catch (const Error& error) {
                QVERIFY2(error.kind() != ErrorKind::Crashed, error.what());
            }
        }
    }

    void limits_are_kept_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("reason");
        QTest::newRow("pixels of a still") << "whole.jpg"
                                           << "640 x 480 pixels";
        QTest::newRow("pixels of a video") << "whole.mp4"
                                           << "160 x 120 pixels";
        QTest::newRow("duration") << "long.wav"
                                  << "hours allowed";
    }
    void limits_are_kept()
    {
        QFETCH(QString, name);
        QFETCH(QString, reason);
        make("long.wav", wav(tone(100, 2, 8000), 1, 8000));
        DecoderOptions strict = options(1);
        strict.limits.max_pixels = 100'000;
        strict.limits.max_video_pixels = 10'000;
        strict.limits.max_duration = 1;
        Decoder decoder(strict);
        const Error error = failure_of([&] { decoder.probe(folder_ / name.toStdString()); });
        QCOMPARE(error_kind_name(error.kind()), "limit-exceeded");
        QVERIFY2(QString::fromStdString(error.reason()).contains(reason), error.what());
    }
};

QTEST_GUILESS_MAIN(BadFiles)
#include "tst_bad_files.moc"
