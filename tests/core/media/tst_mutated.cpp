// SPDX-License-Identifier: Apache-2.0
// Good files with wrong bytes through the real decoder: each is read or refused, and this process never notices more.
// `--bytes N` overwrites N bytes in all instead of 20,000; `--from FOLDER` takes the files there instead of made ones.
#include <QTest>

#include <array>
#include <map>

#include "media_tools.h"

using namespace imprint;
using namespace imprint::media;
using namespace imprint::media::test;
namespace fs = std::filesystem;

namespace {

int64_t wanted_bytes = 20'000;
fs::path given;

}  // namespace

class Mutated : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    std::vector<std::pair<std::string, std::string>> seeds_;  ///< names and bytes

    void make_seeds()
    {
        const QString picture = "testsrc=s=96x72", moving = "testsrc=s=96x72:r=25:d=1", tone = "sine=d=1";
        for (const char* name : {"a.jpg", "a.png", "a.webp", "a.tif", "a.gif", "a.bmp", "a.jp2"})
            QVERIFY(ffmpeg({"-f", "lavfi", "-i", picture, "-frames:v", "1", dir_.filePath(name)}));
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", picture, "-frames:v", "1", "-pix_fmt", "yuv420p", dir_.filePath("a.avif")}));
        for (const char* name : {"a.mp4", "a.mkv", "a.avi", "a.mpg", "a.webm"})
            QVERIFY(ffmpeg({"-f", "lavfi", "-i", moving, "-f", "lavfi", "-i", tone, "-t", "1", dir_.filePath(name)}));
        for (const char* name : {"a.wav", "a.mp3", "a.ogg", "a.flac", "a.m4a", "a.opus", "a.aiff"})
            QVERIFY(ffmpeg({"-f", "lavfi", "-i", tone, dir_.filePath(name)}));
    }

    /// Everything that an indexing asks of a file, and a clip of it.
    static void decode(Decoder& decoder, const fs::path& file)
    {
        const Probe probe = decoder.probe(file);
        const double times[] = {0, 0.5, 0.9};
        if (probe.kind == Kind::Image)
            decoder.still(file, {{{64, 64}}, 0});
        if (probe.kind == Kind::Video)
            decoder.frames(file, times, {{{64, 64}}, 0});
        if (probe.kind != Kind::Image)
            decoder.excerpt(file, 0.4, 0.8);
        if (probe.has_sound || probe.kind == Kind::Audio)
            decoder.sound(file, 0, std::min(1.0, probe.duration));
    }

private Q_SLOTS:
    void initTestCase()
    {
        if (given.empty())
            make_seeds();
        for (const auto& entry : fs::recursive_directory_iterator(given.empty() ? fs::path(dir_.path().toStdString()) : given))
            if (entry.is_regular_file() && entry.file_size() > 0 && entry.file_size() < 1 << 20)
                seeds_.emplace_back(entry.path().filename(), read_file(entry.path()));
        std::sort(seeds_.begin(), seeds_.end());
        QVERIFY(!seeds_.empty());
    }

    void wrong_bytes_cost_one_call_at_most()
    {
        DecoderOptions settings = options(1);
        settings.limits.timeout = 10;
        Decoder decoder(settings);
        std::mt19937 random(11);
        std::map<std::string, int> outcomes;
        const fs::path file = dir_.filePath("mutated").toStdString();
        int64_t bytes = 0, files = 0;
        for (; bytes < wanted_bytes; ++files) {
            const auto& [name, whole] = seeds_[static_cast<size_t>(files) % seeds_.size()];
            std::string mutated = whole;
            // Headers are where parsers live: half of the bytes go to the first kilobyte.
            const int64_t count = std::min<int64_t>(1 << random() % 8, wanted_bytes - bytes);
            for (int64_t i = 0; i < count; ++i)
                mutated[random() % (random() % 2 ? mutated.size() : std::min<size_t>(mutated.size(), 1024))] =
                    static_cast<char>(random());
            bytes += count;
            QVERIFY(write_file(file, mutated));
            try {
                decode(decoder, file);
                ++outcomes["read"];
            } catch (const Error& error) {
                ++outcomes[error_kind_name(error.kind())];
                if (error.kind() == ErrorKind::Crashed)
                    qInfo("%s: %s", name.c_str(), error.what());
                QVERIFY2(error.subject() == file.native() && !error.reason().empty(), error.what());
            }
        }
        for (const auto& [outcome, count] : outcomes)
            qInfo("%-16s %d", outcome.c_str(), count);
        qInfo("%lld wrong bytes in %lld files", static_cast<long long>(bytes), static_cast<long long>(files));
        // And the same decoder still reads what is whole.
        QVERIFY(write_file(file, seeds_[0].second));
        QVERIFY(given.empty() ? (decode(decoder, file), true) : true);
        QCOMPARE(decoder.shared_bytes(), int64_t(0));
    }
};

int main(int argc, char** argv)
{
    std::vector<char*> rest{argv[0]};
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--bytes" && i + 1 < argc)
            wanted_bytes = std::stoll(argv[++i]);
        else if (argument == "--from" && i + 1 < argc)
            given = argv[++i];
        else
            rest.push_back(argv[i]);
    }
    qputenv("QTEST_FUNCTION_TIMEOUT", "86400000");  // Qt ends a function after five minutes, too soon for a long run
    QCoreApplication application(argc, argv);
    Mutated test;
    return QTest::qExec(&test, static_cast<int>(rest.size()), rest.data());
}

#include "tst_mutated.moc"
