// SPDX-License-Identifier: Apache-2.0
// Training the network on examples: it learns them, remembers what it is reminded of, and any blend of old and new is a model.
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/model/checkpoint.h"
#include "tests/support/tiny_checkpoint.h"
#include "tests/support/tiny_pack.h"
#include "training/draws.h"
#include "training/finetune/tuner.h"

using namespace imprint;
using namespace imprint::training;
namespace fs = std::filesystem;

namespace {

constexpr int kSide = 224, kEach = 5;

/// Grain of one of three colours, or of none, so strong that the colour shows in the mean alone.
media::Picture grain(int colour, uint64_t seed)
{
    auto bytes = std::make_shared<std::vector<uint8_t>>();
    Draws draws(seed, static_cast<uint64_t>(colour), 9);
    for (int i = 0; i < kSide * kSide; ++i)
        for (int channel = 0; channel < 3; ++channel)
            bytes->push_back(static_cast<uint8_t>((channel == colour ? 150 : 110) + draws.between(-90, 90)));
    return {kSide, kSide, 0, *bytes, bytes};
}

std::vector<float> tone(double pitch)
{
    std::vector<float> samples;
    for (int i = 0; i < media::kSampleRate; ++i)
        samples.push_back(static_cast<float>(0.4 * std::sin(2 * M_PI * pitch * i / media::kSampleRate)));
    return samples;
}

double dot(std::span<const float> a, std::span<const float> b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

/// How much nearer examples of one class are to each other than to those of other classes.
double separation(const Vectors& vectors)
{
    double inside = 0, outside = 0;
    int in = 0, out = 0;
    for (int a = 0; a < vectors.count(); ++a)
        for (int b = 0; b < a; ++b) {
            const bool same = a / kEach == b / kEach;
            (same ? inside : outside) += dot(vectors.row(a), vectors.row(b));
            ++(same ? in : out);
        }
    return inside / in - outside / out;
}

}  // namespace

class TestTuner : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    fs::path root_, model_;

    /// Examples of three colours; `reminded` adds tones and the pack.
    std::unique_ptr<Tuner> fed(TuneScope scope, bool reminded, uint64_t seed = 1, const fs::path& model = {}) const
    {
        auto tuner = std::make_unique<Tuner>(model.empty() ? model_ : model, TuneOptions{scope, seed, {"cpu", "fp32", 2}, 40});
        for (int colour = 0; colour < 3; ++colour)
            for (int i = 0; i < kEach; ++i) {
                const media::Picture picture = grain(colour, static_cast<uint64_t>(i));
                tuner->add_pictures({&picture, 1});
            }
        if (reminded) {
            for (int i = 0; i < 8; ++i)
                tuner->remind_of_sound(tone(200 + 150 * i));
            tuner->remind_of_pack(root_ / "pack.safetensors");
        }
        return tuner;
    }
    static Lesson lesson(bool watched = false)
    {
        Lesson lesson{{"a red car", "green apples", "the old ship"}, {}};
        for (size_t i = 0; i < 3 * kEach; ++i)
            lesson.labels.push_back(
                {i, static_cast<int>(i / kEach), watched && i % kEach == 0 ? TunePart::Watched : TunePart::Learned});
        return lesson;
    }
    static std::map<std::string, std::vector<std::byte>> tensors_of(const fs::path& file)
    {
        const model::SafetensorsFile opened(file);
        std::map<std::string, std::vector<std::byte>> tensors;
        for (const auto& [name, view] : opened.tensors())
            tensors[name] = {view.data.begin(), view.data.end()};
        return tensors;
    }

private Q_SLOTS:
    void initTestCase()
    {
        root_ = fs::canonical(dir_.path().toStdString());
        model_ = tests::make_tiny_checkpoint(root_);
        tests::make_tiny_pack(root_ / "pack.safetensors", model_);
    }

    void vectors_before_training_are_the_encoders()
    {
        const auto tuner = fed(TuneScope::Lora, false);
        Encoder encoder(model_, {"cpu", "fp32", 1});
        const Vectors vectors = tuner->vectors(0);
        QCOMPARE(vectors.count(), 3 * kEach);
        for (int i = 0; i < vectors.count(); ++i) {
            const media::Picture picture = grain(i / kEach, static_cast<uint64_t>(i % kEach));
            const Vectors own = encoder.encode_pictures({&picture, 1});
            QVERIFY(dot(own.row(0), vectors.row(i)) > 0.999);  // maps are kept as bf16
        }
    }

    void it_learns_the_examples_data()
    {
        QTest::addColumn<bool>("full");
        QTest::newRow("lora") << false;
        QTest::newRow("full") << true;
    }
    void it_learns_the_examples()
    {
        QFETCH(bool, full);
        const auto tuner = fed(full ? TuneScope::Full : TuneScope::Lora, true);
        std::vector<TuneProgress> told;
        const int64_t steps = tuner->learn(lesson(), [&](const TuneProgress& progress) { told.push_back(progress); }, {});
        QCOMPARE(steps, told.back().steps);
        QCOMPARE(told.back().step, steps);
        QVERIFY(told.back().loss > 0 && !told.back().watched);
        const double before = separation(tuner->vectors(0)), after = separation(tuner->vectors(1));
        QVERIFY2(after > 1.5 * before, qPrintable(QString("%1 %2").arg(before).arg(after)));
        const double half = separation(tuner->vectors(0.5));
        QVERIFY2(half > before && half < after, qPrintable(QString::number(half)));
    }

    /// A network without a trunk reads pixels; of the pack it can hear the sounds.
    void a_patch_stem_learns_too()
    {
        auto checkpoint = model::load_checkpoint(model::SafetensorsFile(model_));
        checkpoint.config.vision_stem = model::VisionStem::Patch;
        checkpoint.parameters = model::initial_parameters(checkpoint.config, 5);
        checkpoint.trunk.clear();
        model::save_checkpoint(root_ / "patch.safetensors", checkpoint);
        const auto tuner = fed(TuneScope::Full, true, 1, root_ / "patch.safetensors");
        QCOMPARE(tuner->retention(0).size(), size_t(6));
        tuner->learn(lesson(), {}, {});
        const double before = separation(tuner->vectors(0)), after = separation(tuner->vectors(1));
        QVERIFY2(after > before, qPrintable(QString("%1 %2").arg(before).arg(after)));
        tuner->save(root_ / "patch-tuned.safetensors", 1, "{}");
        Encoder encoder(root_ / "patch-tuned.safetensors", {"cpu", "fp32", 1});
        const media::Picture picture = grain(0, 0);
        QVERIFY(dot(encoder.encode_pictures({&picture, 1}).row(0), tuner->vectors(1).row(0)) > 0.998);
    }

    /// Items that neither the lesson nor the reminders hold stay nearer to where they were when others like them are replayed.
    void reminders_keep_other_things_in_their_place()
    {
        const auto moved = [&](bool reminded) {
            const auto tuner = fed(TuneScope::Lora, false);
            const auto grey = [](int i) { return grain(3, static_cast<uint64_t>(i)); };
            for (int i = 0; i < 6; ++i)
                tuner->add_pictures(std::vector{grey(i)});
            for (int i = 0; reminded && i < 8; ++i)
                tuner->remind_of_pictures(std::vector{grey(100 + i)});
            tuner->learn(lesson(), {}, {});
            const Vectors before = tuner->vectors(0), after = tuner->vectors(1);
            double distance = 0;
            for (int i = 3 * kEach; i < before.count(); ++i)
                distance += 1 - dot(before.row(i), after.row(i));
            return distance / 6;
        };
        const double alone = moved(false), reminded = moved(true);
        QVERIFY2(reminded < alone / 2, qPrintable(QString("%1 %2").arg(reminded).arg(alone)));
    }

    void watched_examples_decide_when_to_stop()
    {
        const auto tuner = fed(TuneScope::Lora, true);
        int64_t last = 0;
        bool watched = false;
        const int64_t kept = tuner->learn(lesson(true),
                                          [&](const TuneProgress& progress) {
                                              last = progress.step;
                                              watched = watched || progress.watched.has_value();
                                          },
                                          {});
        QVERIFY(watched);
        QVERIFY(kept >= 0 && kept <= last);
    }

    void the_same_seed_gives_the_same_bytes_data()
    {
        QTest::addColumn<bool>("full");
        QTest::newRow("lora") << false;
        QTest::newRow("full") << true;
    }
    void the_same_seed_gives_the_same_bytes()
    {
        QFETCH(bool, full);
        const auto run = [&](uint64_t seed, const char* name) {
            const auto tuner = fed(full ? TuneScope::Full : TuneScope::Lora, true, seed);
            tuner->learn(lesson(), {}, {});
            tuner->save(root_ / name, 0.5, "{}");
            return tensors_of(root_ / name);
        };
        const auto once = run(3, "a.safetensors"), again = run(3, "b.safetensors"), other = run(4, "c.safetensors");
        QVERIFY(once == again);
        QVERIFY(once != other);
    }

    void blend_zero_is_the_old_model_bit_for_bit_data()
    {
        QTest::addColumn<bool>("eight_bit");
        QTest::newRow("16-bit matrices") << false;
        QTest::newRow("8-bit matrices") << true;
    }
    void blend_zero_is_the_old_model_bit_for_bit()
    {
        QFETCH(bool, eight_bit);
        fs::path old = model_;
        if (eight_bit) {
            auto checkpoint = model::load_checkpoint(model::SafetensorsFile(model_));
            checkpoint.eight_bit = true;
            old = root_ / "eight.safetensors";
            model::save_checkpoint(old, checkpoint);
        }
        const auto tuner = fed(TuneScope::Full, true, 1, old);
        tuner->learn(lesson(), {}, {});
        tuner->save(root_ / "zero.safetensors", 0, "{}");
        tuner->save(root_ / "one.safetensors", 1, "{}");
        const auto before = tensors_of(old), zero = tensors_of(root_ / "zero.safetensors"),
                   one = tensors_of(root_ / "one.safetensors");
        QCOMPARE(zero.size(), before.size());
        for (const auto& [name, bytes] : before)
            if (!name.starts_with("score."))
                QVERIFY2(zero.at(name) == bytes, name.c_str());
        int changed = 0;
        for (const auto& [name, bytes] : before) {
            const bool frozen = name.starts_with("trunk.") || name.starts_with("tokenizer") || name.starts_with("text_trunk.");
            changed += one.at(name) != bytes;
            QVERIFY2(!frozen || one.at(name) == bytes, name.c_str());
        }
        QVERIFY(changed > 10);
    }

    void what_is_saved_gives_the_vectors_that_were_measured()
    {
        const auto tuner = fed(TuneScope::Lora, true);
        tuner->learn(lesson(), {}, {});
        tuner->save(root_ / "tuned.safetensors", 0.75, R"({"mode": "lora"})");
        Encoder encoder(root_ / "tuned.safetensors", {"cpu", "fp32", 1});
        const Vectors vectors = tuner->vectors(0.75);
        for (int i = 0; i < vectors.count(); ++i) {
            const media::Picture picture = grain(i / kEach, static_cast<uint64_t>(i % kEach));
            QVERIFY(dot(encoder.encode_pictures({&picture, 1}).row(0), vectors.row(i)) > 0.998);
        }
        const auto background = tuner->background(0.75);
        for (int i = 0; i < background[0].count(); ++i)
            QVERIFY(dot(background[0].row(i), encoder.background(Modality::Picture).row(i)) > 0.999);
        const auto provenance = model::read_provenance(model::SafetensorsFile(root_ / "tuned.safetensors"));
        QCOMPARE(provenance.at("finetuning").at("mode").get<std::string>(), std::string("lora"));
        QVERIFY(provenance.at("finetuned_from").contains("hash") && provenance.contains("before"));
    }

    void retention_asks_for_every_held_item_and_is_nothing_without_a_pack()
    {
        QVERIFY(fed(TuneScope::Lora, false)->retention(0).empty());
        const std::vector<double> points = fed(TuneScope::Lora, true)->retention(0);
        QCOMPARE(points.size(), size_t(12));
        for (const double one : points)
            QVERIFY(one >= 0 && one <= 100);
    }

    void it_stops_when_told()
    {
        const auto tuner = fed(TuneScope::Lora, true);
        const CancelToken cancel;
        QVERIFY_THROWS_EXCEPTION(
            Error,
            tuner->learn(
                lesson(), [&](const TuneProgress& progress) { progress.step == 3 ? cancel.cancel() : void(); }, cancel));
    }
};

QTEST_GUILESS_MAIN(TestTuner)
#include "tst_tuner.moc"
