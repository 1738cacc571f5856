// SPDX-License-Identifier: Apache-2.0
// Decoded media kept in memory: within its bounds, and never seen in what a draw holds.
#include <QTest>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/training/data/files.h"
#include "training/data/example.h"

using namespace imprint;
using namespace imprint::training;
using test::thrown;

namespace {

const std::filesystem::path kSamples = std::filesystem::path(IMPRINT_SOURCE_DIR) / "resources/samples";

DecodedMedia sound_of(size_t samples)
{
    DecodedMedia made;
    made.sound.resize(samples);
    return made;
}

}  // namespace

class TestMediaCache : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("IMPRINT_DECODE", IMPRINT_BIN_DIR "/imprint-decode");
        decoder_ = std::make_unique<media::Decoder>();
    }

    void no_more_is_kept_than_allowed_and_what_was_used_last_stays()
    {
        const int64_t one = sound_of(1000).bytes();
        MediaCache cache(3 * one);
        int decoded = 0;
        const auto get = [&](const char* key) {
            cache.get(key, [&] {
                ++decoded;
                return sound_of(1000);
            });
            QVERIFY(cache.bytes() <= 3 * one);
        };
        for (const char* key : {"a", "b", "c", "a", "d"})  // "b" has to go
            get(key);
        QCOMPARE(decoded, 4);
        for (const char* key : {"a", "c", "d"})
            get(key);
        QCOMPARE(decoded, 4);
        get("b");
        QCOMPARE(decoded, 5);
        cache.get("too large", [] { return sound_of(100000); });
        QCOMPARE(cache.bytes(), 3 * one);
    }

    void nothing_is_kept_of_a_failure()
    {
        MediaCache cache(1 << 20);
        const auto fails = []() -> DecodedMedia { throw Error(ErrorKind::Malformed, "file", "is damaged"); };
        QVERIFY(thrown([&] { cache.get("a", fails); }).startsWith("malformed|"));
        QCOMPARE(cache.bytes(), 0);
        QCOMPARE(cache.get("a", [] { return sound_of(5); })->sound.size(), size_t{5});
    }

    void who_wants_the_same_at_once_waits_for_the_first()
    {
        MediaCache cache(1 << 20);
        std::atomic<int> decoded = 0;
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < 8; ++i)
                threads.emplace_back([&] {
                    for (const char* key : {"a", "b", "a"})
                        cache.get(key, [&] {
                            ++decoded;
                            std::this_thread::sleep_for(std::chrono::milliseconds(20));
                            return sound_of(7);
                        });
                });
        }
        QCOMPARE(decoded.load(), 2);
        QCOMPARE(cache.bytes(), 2 * sound_of(7).bytes());
    }

    void an_example_is_the_same_with_a_cache_and_without_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<bool>("pictures");
        QTest::addColumn<bool>("sound");
        QTest::newRow("picture") << "cat.jpg" << true << false;
        QTest::newRow("film with sound, 12 s") << "to-space.mp4" << true << true;
        QTest::newRow("film, 15 s") << "a-walk.mp4" << true << false;
        for (const char* file : {"cash-register.wav", "crow.flac", "tabla.mp3", "guitar-chord.ogg", "bell.opus", "choir.m4a"})
            QTest::newRow(file) << file << false << true;
    }
    void an_example_is_the_same_with_a_cache_and_without()
    {
        QFETCH(QString, file);
        QFETCH(bool, pictures);
        QFETCH(bool, sound);
        const Sample sample{"the sample", kSamples / file.toStdString(), {}, -1};
        ExampleOptions options;
        options.pictures = pictures;
        options.sound = sound;
        options.sound_seconds = 0.8;
        options.resolution = {16, 32, 32, 0};
        options.clips = 2;
        MediaCache large(256 << 20), small(40 << 10);  // one keeps all, the other next to nothing
        for (int64_t index = 0; index < 3; ++index) {
            const ItemPlace place{1, 2, 3, index};
            const Example without = make_example(sample, {}, options, place, *decoder_);
            for (MediaCache* cache : {&large, &small, &large}) {
                const Example with = make_example(sample, {}, options, place, *decoder_, cache);
                QCOMPARE(with.clips.size(), without.clips.size());
                for (size_t clip = 0; clip < with.clips.size(); ++clip)
                    for (size_t frame = 0; frame < 16; ++frame)
                        QVERIFY(std::ranges::equal(with.clips[clip][frame].rgb, without.clips[clip][frame].rgb));
                QCOMPARE(with.sounds, without.sounds);
            }
        }
        QVERIFY(large.bytes() > 0 && small.bytes() <= 40 << 10);
    }

    void what_is_kept_needs_no_file()
    {
        const auto path = std::filesystem::path(test::write(dir_, "gone.jpg", {}));
        std::filesystem::copy_file(kSamples / "cat.jpg", path, std::filesystem::copy_options::overwrite_existing);
        const Sample sample{"cat", path, {}, -1};
        ExampleOptions options;
        options.pictures = true;
        options.resolution = {1, 32, 32, 0};
        MediaCache cache(1 << 20);
        const auto first = make_example(sample, {}, options, {1, 2, 3, 4}, *decoder_, &cache);
        std::filesystem::remove(path);
        const auto again = make_example(sample, {}, options, {1, 2, 3, 4}, *decoder_, &cache);
        QVERIFY(std::ranges::equal(again.clips[0][0].rgb, first.clips[0][0].rgb));
        QVERIFY(thrown([&] { make_example(sample, {}, options, {1, 2, 3, 4}, *decoder_); }).startsWith("not-found|"));
    }

private:
    QTemporaryDir dir_;
    std::unique_ptr<media::Decoder> decoder_;
};

QTEST_APPLESS_MAIN(TestMediaCache)
#include "tst_media_cache.moc"
