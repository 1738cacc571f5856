// SPDX-License-Identifier: Apache-2.0
// Batches of real media: what a draw holds depends on its place alone, whoever reads it and however far ahead.
#include <QTest>

#include <cmath>

#include "tests/training/data/files.h"
#include "training/data/dataset.h"
#include "training/data/prefetcher.h"

using namespace imprint;
using namespace imprint::training;
using test::thrown;

namespace {

const std::filesystem::path kSamples = std::filesystem::path(IMPRINT_SOURCE_DIR) / "resources/samples";

/// Everything that a batch says, as bytes.
QByteArray fingerprint(const Batch& batch)
{
    QByteArray bytes = QByteArray::number(qlonglong(batch.draw)) + QByteArray::fromStdString(name_of(batch.resolution));
    for (const Example& example : batch.examples) {
        bytes += QByteArray::fromStdString(example.name) + QByteArray::number(example.label);
        for (const auto& text : example.texts)
            bytes += QByteArray::fromStdString(text);
        for (const auto& clip : example.clips)
            for (const auto& frame : clip)
                bytes += QByteArray(reinterpret_cast<const char*>(frame.rgb.data()), qsizetype(frame.rgb.size()));
        for (const auto& sound : example.sounds)
            bytes += QByteArray(reinterpret_cast<const char*>(sound.data()), qsizetype(sound.size() * sizeof(float)));
    }
    return bytes;
}

BatchOptions options_for(int64_t batch = 3)
{
    BatchOptions options;
    options.seed = 7;
    options.objective = "test";
    options.batch = batch;
    options.resolutions = {{1, 32, 32, 0}, {2, 32, 32, 0.5}};
    options.example.pictures = options.example.text = true;
    return options;
}

}  // namespace

class TestBatchReader : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("IMPRINT_DECODE", IMPRINT_BIN_DIR "/imprint-decode");
        decoder_ = std::make_unique<media::Decoder>();
        manifest_ = test::write(dir_, "media.jsonl",
                                R"({"path":"cat.jpg","kind":"animal","text":["a cat","a tabby"]}
{"path":"raccoon.jpg","kind":"animal","text":["a raccoon"]}
{"path":"coffee.jpg","kind":"food","text":["a cup of coffee"]}
{"path":"to-space.mp4","kind":"space","text":["a rocket"]}
)");
        source_ = open();
    }

    void a_draw_is_a_function_of_its_place()
    {
        const BatchReader reader({input()}, options_for(), *decoder_), same({input()}, options_for(), *decoder_);
        QSet<QByteArray> all;
        for (int64_t draw = 0; draw < 4; ++draw) {
            QCOMPARE(fingerprint(same.read(draw)), fingerprint(reader.read(draw)));
            all.insert(fingerprint(reader.read(draw)));
        }
        QCOMPARE(all.size(), 4);
        BatchOptions other = options_for();
        other.objective = "another";
        QVERIFY(fingerprint(BatchReader({input()}, other, *decoder_).read(0)) != fingerprint(reader.read(0)));
    }

    void pictures_and_videos_have_the_draws_resolution()
    {
        const BatchReader reader({input()}, options_for(4), *decoder_);
        QSet<int> frames;
        for (int64_t draw = 0; draw < 6; ++draw) {
            const Batch batch = reader.read(draw);
            frames.insert(batch.resolution.frames);
            QVERIFY(batch.resolution == reader.resolution(draw));
            for (const Example& example : batch.examples) {
                QCOMPARE(example.clips.size(), size_t{1});
                QCOMPARE(int(example.clips[0].size()), batch.resolution.frames);
                for (const auto& frame : example.clips[0])
                    QVERIFY(frame.width == 32 && frame.height == 32 && frame.rgb.size() == 32 * 32 * 3);
            }
        }
        QCOMPARE(frames, (QSet<int>{1, 2}));
    }

    void captions_are_different_ones_as_long_as_there_are_some()
    {
        BatchOptions options = options_for(4);
        options.example.captions = 2;
        options.example.pictures = false;
        const Batch batch = BatchReader({input()}, options, *decoder_).read(0);  // four items: every sample once
        for (const Example& example : batch.examples) {
            QCOMPARE(example.texts.size(), size_t{2});
            QCOMPARE(example.texts[0] != example.texts[1], example.sample == 0);
        }
    }

    void sound_is_of_the_clips_moment()
    {
        BatchOptions options = options_for(1);
        options.example.sound = true;
        options.example.sound_seconds = 0.5;
        options.example.clips = 2;
        const std::string only = test::write(dir_, "film.jsonl", "{\"path\":\"to-space.mp4\",\"text\":\"a rocket\"}\n");
        const auto film =
            open_source({.name = "film", .kind = DatasetKind::Manifest, .paths = {only}, .root = kSamples, .texts = {"text"}});
        const Example example = BatchReader({{"film", film.get(), {}, nullptr}}, options, *decoder_).example(0, 0);
        QCOMPARE(example.sounds.size(), size_t{2});
        for (size_t clip = 0; clip < 2; ++clip) {
            const double start = std::min(example.clips[clip][0].time, 12.0 - 0.5);
            const auto wanted = decoder_->sound(kSamples / "to-space.mp4", start, start + 0.5);
            QCOMPARE(example.sounds[clip].size(), size_t{8000});
            QVERIFY(std::abs(double(wanted.samples.size()) - 8000) <= 1);
        }
    }

    void a_sample_that_lacks_what_is_wanted_is_counted_and_replaced()
    {
        BatchOptions options = options_for(4);
        options.example.sound = true;  // one of the four has sound
        options.example.sound_seconds = 0.25;
        QStringList lines;
        options.log = [&](const std::string& line) { lines << QString::fromStdString(line); };
        const BatchReader reader({input()}, options, *decoder_);
        const Batch batch = reader.read(0);
        for (const Example& example : batch.examples)
            QCOMPARE(example.sample, 3);
        QCOMPARE(lines.size(), 3);
        QVERIFY2(lines.join("\n").contains("has no sound"), qPrintable(lines.join("\n")));
        // What was found out belongs to the state; a reader that takes it up draws the same and asks no file again.
        const auto state = reader.unreadable();
        QCOMPARE(state.at("media").size(), size_t{3});
        lines.clear();
        BatchReader resumed({input()}, options, *decoder_);
        resumed.restore(state);
        QCOMPARE(fingerprint(resumed.read(0)), fingerprint(batch));
        QVERIFY(lines.isEmpty());
        QVERIFY(resumed.unreadable() == state);
    }

    void too_many_unreadable_samples_end_the_run()
    {
        BatchOptions options = options_for(4);
        options.example.sound = true;
        options.example.sound_seconds = 0.25;
        options.most_unreadable = 2;
        const BatchReader reader({input()}, options, *decoder_);
        const QString message = thrown([&] { reader.read(0); });
        QVERIFY2(message.startsWith("limit-exceeded|") && message.contains("3 samples cannot be read, where 2 are allowed"),
                 qPrintable(message));
    }

    void a_full_disk_ends_the_run_and_costs_no_sample()
    {
        BatchOptions options = options_for(1);
        class Full final : public Source {
        public:
            const std::string& name() const override { return name_; }
            int64_t size() const override { return 1; }
            const std::vector<std::string>& classes() const override { return classes_; }
            Sample sample(int64_t) const override { throw Error(ErrorKind::DiskFull, "/tmp", "the disk is full"); }
            std::string name_ = "full";
            std::vector<std::string> classes_;
        } full;
        const BatchReader reader({{"full", &full, {}, nullptr}}, options, *decoder_);
        QVERIFY(thrown([&] { reader.example(0, 0); }).startsWith("disk-full|"));
        QVERIFY(reader.unreadable().empty());
    }

    void a_class_without_text_takes_a_sentence()
    {
        BatchOptions options = options_for(4);
        options.example.pictures = false;
        const auto labelled = open_source(
            {.name = "media", .kind = DatasetKind::Manifest, .paths = {manifest_}, .root = kSamples, .label = "kind"});
        const std::string file = test::write(dir_, "sentences.txt", "a photo of {}\n");
        const BatchReader reader({{"media", labelled.get(), TextTemplates(file), nullptr}}, options, *decoder_);
        for (const Example& example : reader.read(0).examples)
            QVERIFY2(QString::fromStdString(example.texts[0]).startsWith("a photo of "), example.texts[0].c_str());
        const BatchReader without({{"media", labelled.get(), {}, nullptr}}, options, *decoder_);
        QVERIFY(thrown([&] { without.read(0); }).contains("has no text"));
    }

    void labels_are_refused_where_there_are_none()
    {
        BatchOptions options = options_for();
        options.example.label = true;
        QVERIFY(thrown([&] { BatchReader({input()}, options, *decoder_); }).contains("has no labels"));
    }

    void any_number_of_threads_gives_the_same_batches_data()
    {
        QTest::addColumn<int>("threads");
        QTest::addColumn<int>("ahead");
        QTest::newRow("one, none ahead") << 1 << 0;
        QTest::newRow("one, three ahead") << 1 << 3;
        QTest::newRow("four, two ahead") << 4 << 2;
    }
    void any_number_of_threads_gives_the_same_batches()
    {
        QFETCH(int, threads);
        QFETCH(int, ahead);
        const BatchReader a({input()}, options_for(2), *decoder_), b({input()}, options_for(3), *decoder_);
        const auto plan = [&](int64_t step) {
            return step % 2 ? std::vector<Prefetcher::Order>{{&a, step}, {&b, step / 2}}
                            : std::vector<Prefetcher::Order>{{&b, step}};
        };
        Prefetcher prefetcher(plan, threads, ahead);
        for (const int64_t step : {0, 1, 2, 3, 1, 2}) {  // and back, as after an evaluation that failed
            const std::vector<Batch> batches = prefetcher.take(step);
            const auto orders = plan(step);
            QCOMPARE(batches.size(), orders.size());
            for (size_t i = 0; i < orders.size(); ++i)
                QCOMPARE(fingerprint(batches[i]), fingerprint(orders[i].reader->read(orders[i].draw)));
        }
    }

    void what_reading_throws_comes_out_of_its_step()
    {
        BatchOptions options = options_for(4);
        options.example.sound = true;
        options.example.sound_seconds = 0.25;
        options.most_unreadable = 0;
        const BatchReader good({input()}, options_for(2), *decoder_), bad({input()}, options, *decoder_);
        Prefetcher prefetcher(
            [&](int64_t step) {
                return std::vector<Prefetcher::Order>{{step == 1 ? &bad : &good, step}};
            },
            2, 2);
        QCOMPARE(prefetcher.take(0).size(), size_t{1});
        QVERIFY_THROWS_EXCEPTION(Error, prefetcher.take(1));
    }

    void several_sources_are_drawn_by_their_weights()
    {
        const auto one = [&](const char* name, const char* line) {
            return open_source(
                {.name = name, .kind = DatasetKind::Manifest, .paths = {test::write(dir_, name, line)}, .texts = {"text"}});
        };
        const auto a = one("a.jsonl", R"({"path":"x","text":"a"})"), b = one("b.jsonl", R"({"path":"y","text":"b"})");
        BatchOptions options = options_for(2000);
        options.example.pictures = false;
        options.weights = {3, 1};
        int drawn = 0;
        for (const Example& example :
             BatchReader({{"a", a.get(), {}, nullptr}, {"b", b.get(), {}, nullptr}}, options, *decoder_).read(0).examples)
            drawn += example.texts[0] == "a";
        QVERIFY2(std::abs(drawn - 1500) < 80, qPrintable(QString::number(drawn)));  // four deviations
    }

private:
    std::unique_ptr<Source> open() const
    {
        return open_source(
            {.name = "media", .kind = DatasetKind::Manifest, .paths = {manifest_}, .root = kSamples, .texts = {"text"}});
    }
    BatchReader::Input input() const { return {"media", source_.get(), {}, nullptr}; }

    QTemporaryDir dir_;
    std::string manifest_;
    std::unique_ptr<media::Decoder> decoder_;
    std::unique_ptr<Source> source_;
};

QTEST_APPLESS_MAIN(TestBatchReader)
#include "tst_batch_reader.moc"
