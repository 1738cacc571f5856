// SPDX-License-Identifier: Apache-2.0
// The door to the model: the same item gives the same bits alone or in any batch, in any order, on any number of threads.
#include <malloc.h>

#include <QTemporaryDir>
#include <QTest>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>
#include <thread>

#include "core/base/error.h"
#include "core/base/processor.h"
#include "core/encoder.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;

namespace {

media::Picture noise_picture(media::Size size, unsigned seed)
{
    auto bytes = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(size.width) * size.height * 3);
    std::mt19937 random(seed);
    const int tone = static_cast<int>(random() % 200);
    for (auto& byte : *bytes)
        byte = static_cast<uint8_t>(tone + static_cast<int>(random() % 56));
    return {size.width, size.height, 0, *bytes, bytes};
}

std::vector<media::Sound> noise_sounds(int count)
{
    std::vector<media::Sound> sounds;
    for (int i = 0; i < count; ++i) {
        std::mt19937 random(static_cast<unsigned>(i));
        media::Sound sound;
        sound.samples.resize(1 + random() % 65536);
        for (auto& sample : sound.samples)
            sample = float(random() % 2000) / 1000 - 1;
        sounds.push_back(std::move(sound));
    }
    return sounds;
}

std::vector<std::string> texts(int count)
{
    const char* words[] = {"a dog", "red car", "the old ship at night", "two birds", "music", "green apples on a table near the water"};
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i)
        all.push_back(std::string(words[i % 6]) + " " + std::to_string(i));
    return all;
}

template <typename T>
std::vector<T> picked(const std::vector<T>& from, const std::vector<size_t>& order)
{
    std::vector<T> result;
    for (const size_t i : order)
        result.push_back(from[i]);
    return result;
}

bool same_bits(std::span<const float> a, std::span<const float> b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// Encodes everything in one call, then in shuffled batches of changing sizes, then (a sample) alone: always the same bits.
template <typename Item, typename Encode>
void check_bits(const std::vector<Item>& items, const Encode& encode, size_t alone)
{
    const Vectors reference = encode(items);
    QCOMPARE(static_cast<size_t>(reference.count()), items.size());
    std::vector<size_t> order(items.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::mt19937 random(7);
    std::shuffle(order.begin(), order.end(), random);
    for (size_t begin = 0; begin < order.size();) {
        const size_t size = std::min<size_t>(1 + random() % 37, order.size() - begin);
        const std::vector<size_t> part(order.begin() + static_cast<std::ptrdiff_t>(begin), order.begin() + static_cast<std::ptrdiff_t>(begin + size));
        const Vectors found = encode(picked(items, part));
        for (size_t i = 0; i < size; ++i)
            QVERIFY(same_bits(found.row(static_cast<int>(i)), reference.row(static_cast<int>(part[i]))));
        begin += size;
    }
    for (size_t i = 0; i < std::min(alone, items.size()); ++i)
        QVERIFY(same_bits(encode(picked(items, {order[i]})).row(0), reference.row(static_cast<int>(order[i]))));
}

}  // namespace

class TestEncoder : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { checkpoint_ = tests::make_tiny_checkpoint(dir_.path().toStdString()); }

    void two_thousand_items_give_the_same_bits_alone_and_in_any_batch_data()
    {
        QTest::addColumn<QString>("precision");
        QTest::newRow("fp32") << "fp32";
        QTest::newRow("bf16") << "bf16";
    }
    void two_thousand_items_give_the_same_bits_alone_and_in_any_batch()
    {
        QFETCH(QString, precision);
        Encoder encoder(checkpoint_, {"cpu", precision.toStdString(), 0});
        QCOMPARE(encoder.precision(), precision.toStdString());
        check_bits(texts(1500), [&](const auto& items) { return encoder.encode_texts(items); }, 300);
        check_bits(noise_sounds(300), [&](const auto& items) { return encoder.encode_sounds(items); }, 60);
        std::vector<media::Picture> pictures;
        for (unsigned i = 0; i < 160; ++i)
            pictures.push_back(noise_picture(encoder.picture_sizes()[i % encoder.picture_sizes().size()], i));
        check_bits(pictures, [&](const auto& items) { return encoder.encode_pictures(items); }, 40);
        std::vector<std::vector<media::Picture>> clips;
        for (unsigned i = 0; i < 40; ++i) {
            auto& clip = clips.emplace_back();
            for (unsigned frame = 0; frame < 1 + i % 4; ++frame)
                clip.push_back(noise_picture(encoder.picture_sizes()[i % 2], 1000 + 10 * i + frame));
        }
        check_bits(clips, [&](const auto& items) { return encoder.encode_clips(items); }, 10);
    }

    void bits_do_not_depend_on_the_number_of_threads_data()
    {
        QTest::addColumn<QString>("precision");
        QTest::newRow("fp32") << "fp32";
        QTest::newRow("bf16") << "bf16";
    }
    void bits_do_not_depend_on_the_number_of_threads()
    {
        QFETCH(QString, precision);
        const auto all_of = [&](int threads) {
            Encoder encoder(checkpoint_, {"cpu", precision.toStdString(), threads});
            std::vector<media::Picture> pictures;
            for (unsigned i = 0; i < 10; ++i)
                pictures.push_back(noise_picture(encoder.picture_sizes()[i % encoder.picture_sizes().size()], i));
            Vectors all = encoder.encode_texts(texts(200));
            for (const Vectors& more :
                 {encoder.encode_sounds(noise_sounds(40)), encoder.encode_pictures(pictures), encoder.concept_vectors(pictures)})
                all.values.insert(all.values.end(), more.values.begin(), more.values.end());
            return all.values;
        };
        const auto one = all_of(1);
        for (const int threads : {2, 3, 0})
            QVERIFY2(same_bits(one, all_of(threads)), qPrintable(QString::number(threads)));
    }

    void the_number_of_threads_is_what_was_asked_for_or_measured()
    {
        QCOMPARE(Encoder(checkpoint_, {"cpu", "fp32", 3}).threads(), 3);
        Encoder measured(checkpoint_);
        const int threads = measured.threads();
        QVERIFY(threads >= 1 && threads <= std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
        measured.encode_texts(texts(3));
        QCOMPARE(measured.threads(), threads);
    }

    void bf16_is_taken_where_the_processor_has_it()
    {
        QCOMPARE(Encoder(checkpoint_).precision(), std::string(multiplies_bf16() ? "bf16" : "fp32"));
    }

    void memory_does_not_grow_over_thousands_of_varied_items()
    {
        Encoder encoder(checkpoint_, {"cpu", "auto", 2});
        const auto resident = [] {
            malloc_trim(0);
            std::ifstream statm("/proc/self/statm");
            qint64 all = 0, pages = 0;
            statm >> all >> pages;
            return pages * sysconf(_SC_PAGESIZE);
        };
        // Every shape is met before memory is looked at: products keep what they have prepared for a shape.
        std::mt19937 random(3);
        std::vector<std::string> phrases;
        for (int i = 0; i < 400; ++i) {
            std::string& phrase = phrases.emplace_back();
            for (unsigned word = 0; word <= random() % 20; ++word)
                phrase += texts(6)[random() % 6] + " ";
        }
        auto sounds = noise_sounds(60);
        std::vector<std::vector<media::Picture>> clips;
        for (const auto& size : encoder.picture_sizes())
            for (int frames = 1; frames <= encoder.max_frames(); ++frames) {
                auto& clip = clips.emplace_back();
                for (int frame = 0; frame < frames; ++frame)
                    clip.push_back(noise_picture(size, static_cast<unsigned>(random())));
            }
        const auto everything = [&] {
            std::shuffle(phrases.begin(), phrases.end(), random);
            std::shuffle(sounds.begin(), sounds.end(), random);
            std::shuffle(clips.begin(), clips.end(), random);
            encoder.encode_texts(phrases);
            encoder.encode_sounds(sounds);
            encoder.encode_clips(clips);
        };
        for (int i = 0; i < 2; ++i)
            everything();
        const qint64 before = resident();
        for (int i = 0; i < 8; ++i)
            everything();
        const qint64 growth = resident() - before;
        // Over more than 3,600 items: about a kilobyte each.
        QVERIFY2(growth < 4 << 20, qPrintable(QString::number(growth)));
    }

    void bf16_stays_close_to_fp32()
    {
        Encoder exact(checkpoint_, {"cpu", "fp32", 0}), fast(checkpoint_, {"cpu", "bf16", 0});
        const auto wanted = exact.encode_texts(texts(50)), found = fast.encode_texts(texts(50));
        for (int i = 0; i < 50; ++i) {
            const auto a = wanted.row(i), b = found.row(i);
            // A last bit may flip an expert's choice in a random network, so the bound is the mean's.
            QVERIFY(std::inner_product(a.begin(), a.end(), b.begin(), 0.0) > 0.97);
        }
    }

    void the_shipped_model_says_the_same_in_both_precisions()
    {
        const std::filesystem::path shipped = IMPRINT_SOURCE_DIR "/resources/models/imprint-small.safetensors";
        Encoder exact(shipped, {"cpu", "fp32", 1}), fast(shipped, {"cpu", "bf16", 1});
        const std::vector<media::Picture> pictures{noise_picture(exact.picture_sizes()[0], 1),
                                                   noise_picture(exact.picture_sizes()[1], 2)};
        const auto same = [](const Vectors& wanted, const Vectors& found) {
            for (int i = 0; i < wanted.count(); ++i) {
                const auto a = wanted.row(i), b = found.row(i);
                const double cosine = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
                QVERIFY2(cosine >= 0.999, qPrintable(QString::number(cosine)));
            }
        };
        same(exact.encode_texts(texts(4)), fast.encode_texts(texts(4)));
        same(exact.encode_sounds(noise_sounds(2)), fast.encode_sounds(noise_sounds(2)));
        same(exact.encode_pictures(pictures), fast.encode_pictures(pictures));
    }

    void vectors_have_unit_length_and_tell_items_apart()
    {
        Encoder encoder(checkpoint_);
        const std::vector<media::Picture> pictures{noise_picture({224, 224}, 1), noise_picture({224, 224}, 2)};
        for (const Vectors& vectors : {encoder.encode_texts(texts(2)), encoder.encode_pictures(pictures), encoder.concept_vectors(pictures),
                                       encoder.encode_sounds(noise_sounds(2))}) {
            QCOMPARE(vectors.dim, encoder.dim());
            for (int i = 0; i < 2; ++i) {
                const auto row = vectors.row(i);
                QVERIFY(std::abs(std::inner_product(row.begin(), row.end(), row.begin(), 0.0) - 1) < 1e-4);
            }
            QVERIFY(!same_bits(vectors.row(0), vectors.row(1)));
        }
        QCOMPARE(encoder.encode_texts({}).count(), 0);
    }

    void wrong_use_is_an_error_that_says_how_to_do_better_data()
    {
        QTest::addColumn<QString>("device");
        QTest::addColumn<QString>("precision");
        QTest::addColumn<int>("kind");
        QTest::newRow("a GPU that is not there") << "cuda:63" << "auto" << int(ErrorKind::Unsupported);
        QTest::newRow("no number of a GPU") << "cuda:x" << "auto" << int(ErrorKind::Usage);
        QTest::newRow("no such device") << "tpu" << "auto" << int(ErrorKind::Usage);
        QTest::newRow("no such precision") << "cpu" << "fp8" << int(ErrorKind::Usage);
    }
    void wrong_use_is_an_error_that_says_how_to_do_better()
    {
        QFETCH(QString, device);
        QFETCH(QString, precision);
        QFETCH(int, kind);
        try {
            Encoder(checkpoint_, {device.toStdString(), precision.toStdString(), 0});
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(int(error.kind()), kind);
            QVERIFY(error.subject().starts_with("--"));
            QVERIFY(!error.remedy().empty());
        }
    }

    void a_sound_longer_than_the_window_is_refused()
    {
        Encoder encoder(checkpoint_);
        media::Sound sound;
        sound.samples.resize(static_cast<size_t>(encoder.sound_window() * media::kSampleRate) + 1);
        QVERIFY_THROWS_EXCEPTION(Error, encoder.encode_sounds({&sound, 1}));
    }

private:
    QTemporaryDir dir_;
    std::filesystem::path checkpoint_;
};

QTEST_APPLESS_MAIN(TestEncoder)
#include "tst_encoder.moc"
