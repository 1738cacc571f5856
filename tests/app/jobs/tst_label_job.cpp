// SPDX-License-Identifier: Apache-2.0
// Labelling a real library end to end: stored vectors only, verdicts laid over, kept labels found again, exports that others
// read.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>

#include "app/jobs/label_export.h"
#include "app/jobs/label_review.h"
#include "app/jobs/prompt_cache.h"
#include "tests/app/jobs/test_media.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::jobs;
using namespace imprint::tests;
namespace fs = std::filesystem;

class TestLabelJob : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    fs::path root_, media_;
    std::unique_ptr<Engine> engine_;
    LabelSet set_;

    /// Everything is labelled: "none" stands out of reach.
    LabelRun labelled(const index::Filter& filter = {})
    {
        return label(*engine_, set_, filter, {.none_at = -100, .confidence = 0});
    }
    static index::Filter of_kind(media::Kind kind)
    {
        index::Filter filter;
        filter.kinds = {kind};
        return filter;
    }
    std::string exported(ExportFormat format, const std::vector<ExportRow>& rows)
    {
        std::ostringstream out;
        write_export(out, format, rows);
        return out.str();
    }

private Q_SLOTS:
    void initTestCase()
    {
        root_ = fs::canonical(dir_.path().toStdString());
        media_ = root_ / "media";
        fs::create_directories(media_);
        for (int i = 0; i < 6; ++i)
            make_picture(media_ / ("picture" + std::to_string(i) + ".png"), i);
        make_video(media_ / "video.mp4", 9);
        make_sound(media_ / "low.wav", 3, "sine=frequency=200");
        EngineOptions options;
        options.library = root_ / "library";
        options.checkpoint = make_tiny_checkpoint(root_);
        options.decoder.worker = fs::path(IMPRINT_BIN_DIR) / "imprint-decode";
        engine_ = std::make_unique<Engine>(options);
        QCOMPARE(index_paths(*engine_, {media_}).indexed, 8);
        set_.name = "Shapes";
        set_.looks_at = {Modality::Picture, Modality::Sound};
        set_.classes = {
            {"circle", {"disc"}, {}, -1}, {"square", {}, {"a square on a table"}, -1}, {"a <line> & more", {}, {}, -1}};
    }
    void cleanupTestCase() { engine_.reset(); }

    void every_moment_that_the_set_looks_at_is_answered()
    {
        const index::Library library(engine_->library_folder(), index::OpenMode::ReadOnly);
        const LabelRun run = labelled();
        QCOMPARE(static_cast<int64_t>(run.moments.size()), library.counts().moments);
        QCOMPARE(run.files.size(), size_t(8));
        QCOMPARE(QString::fromStdString(run.space), QString::fromStdString(engine_->encoder().space()));
        for (const LabelledMoment& moment : run.moments) {
            QCOMPARE(moment.guess.labels.size(), size_t(1));
            QCOMPARE(moment.guess.labels[0], moment.likeliest[0].first);
            QCOMPARE(moment.likeliest.size(), size_t(4));
        }
        for (const LabelledFile& file : run.files) {
            QVERIFY(!file.spans.empty());
            double share = 0;
            for (const LabelledFile::Whole& whole : file.labels)
                share += whole.share;
            QVERIFY(std::abs(share - 1) < 1e-6);
        }
        const LabelTally counts = tally(run);
        QCOMPARE(counts.decided + counts.none + counts.abstained, static_cast<int64_t>(run.moments.size()));
        LabelSet heard = set_;
        heard.looks_at = {Modality::Sound};
        QCOMPARE(label(*engine_, heard).files.size(), size_t(2));
        QCOMPARE(label(*engine_, set_, of_kind(media::Kind::Image)).files.size(), size_t(6));
    }

    void progress_climbs_through_the_sentences_and_the_moments()
    {
        LabelSet fresh = set_;
        fresh.classes[0].prompts.push_back("a sentence that no set had before");  // else its vectors would be kept ones
        std::vector<double> shares;
        label(*engine_, fresh, {}, {}, [&](double share) { shares.push_back(share); });
        QVERIFY(shares.size() > fresh.classes.size());
        QVERIFY(std::is_sorted(shares.begin(), shares.end()));
        QCOMPARE(shares.front(), 0.0);
        QCOMPARE(shares.back(), 1.0);
        CancelToken stopped;
        size_t heard = 0;
        fresh.classes[0].prompts.push_back("nor this one");
        try {
            label(
                *engine_, fresh, {}, {}, [&](double) { ++heard == 2 ? stopped.cancel() : void(); }, stopped);
            QFAIL("it went on");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Cancelled);
        }
        QVERIFY(heard <= 3);
    }

    void a_label_is_the_mean_of_its_sentences()
    {
        LabelSet one;
        one.looks_at = {Modality::Picture};
        one.classes = {{"circle", {}, {}, -1}};
        const LabelKeys name = label_keys(*engine_, one);
        one.classes[0].synonyms = {"disc"};
        const LabelKeys both = label_keys(*engine_, one);
        one.classes = {{"disc", {}, {}, -1}};
        const LabelKeys synonym = label_keys(*engine_, one);
        QVERIFY(name.keys[1].count() == 0);
        const auto dot = [](std::span<const float> a, std::span<const float> b) {
            double sum = 0;
            for (size_t i = 0; i < a.size(); ++i)
                sum += static_cast<double>(a[i]) * b[i];
            return sum;
        };
        const auto a = name.keys[0].row(0), b = synonym.keys[0].row(0), c = both.keys[0].row(0);
        QVERIFY(std::abs(dot(c, c) - 1) < 1e-4);
        QVERIFY(dot(c, a) > dot(a, b) && dot(c, b) > dot(a, b));
    }

    void sentences_are_read_once_data()
    {
        QTest::addColumn<std::function<void(const fs::path&)>>("harm");
        QTest::addColumn<int>("made");
        QTest::newRow("as it was written") << std::function<void(const fs::path&)>([](const fs::path&) {}) << 1;
        QTest::newRow("cut off") << std::function<void(const fs::path&)>([](const fs::path& file) { fs::resize_file(file, 40); })
                                 << 2;
        QTest::newRow("with another number in it") << std::function<void(const fs::path&)>([](const fs::path& file) {
            std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
            out.seekp(-1, std::ios::end);
            out.put(1);
        }) << 2;
        QTest::newRow("taken away") << std::function<void(const fs::path&)>([](const fs::path& file) { fs::remove(file); }) << 2;
    }
    void sentences_are_read_once()
    {
        QFETCH(std::function<void(const fs::path&)>, harm);
        QFETCH(int, made);
        const fs::path kept = engine_->library_folder() / "prompts";
        fs::remove_all(kept);
        int times = 0;
        const auto make = [&] {
            ++times;
            return engine_->encoder().encode_texts(std::vector<std::string>{"a dog", "a cat"});
        };
        const Vectors first = kept_keys(*engine_, {"dog", "cat"}, make);
        QCOMPARE(std::distance(fs::directory_iterator(kept), {}), 1);
        harm(fs::directory_iterator(kept)->path());
        QCOMPARE(kept_keys(*engine_, {"dog", "cat"}, make).values, first.values);
        QCOMPARE(times, made);
        kept_keys(*engine_, {"dog cat"}, make);
        QCOMPARE(times, made + 1);
    }

    void old_sentences_are_forgotten()
    {
        for (size_t i = 0; i < kKeptPrompts + 3; ++i)
            kept_keys(*engine_, {std::to_string(i)}, [&] { return Vectors{engine_->encoder().dim(), {}}; });
        QCOMPARE(static_cast<size_t>(std::distance(fs::directory_iterator(engine_->library_folder() / "prompts"), {})),
                 kKeptPrompts);
    }

    void kept_labels_are_found_and_a_person_has_the_last_word()
    {
        LabelRun run = labelled();
        QVERIFY(apply_labels(*engine_, run) >= 8);
        const std::string guessed = set_.classes[static_cast<size_t>(run.files[0].spans[0].label)].name;
        {
            const index::Library library(engine_->library_folder(), index::OpenMode::ReadOnly);
            index::Filter carrying;
            carrying.labels = {guessed};
            const auto found = index::LabelStore(engine_->library_folder(), index::OpenMode::ReadOnly).matching(carrying);
            QVERIFY(
                std::any_of(found.begin(), found.end(), [&](const index::FileRow& row) { return row.id == run.files[0].id; }));
            QVERIFY(library.labels(run.files[0].id).front().guessed);
        }
        const int other = (run.files[0].spans[0].label + 1) % 3;
        review(*engine_, run, {0, false}, other);
        LabelRun again = labelled();
        QCOMPARE(again.moments[0].verdict, std::optional(other));
        QCOMPARE(again.files[0].spans[0].label, other);
        QCOMPARE(review_state(again).reviewed, 1);
        apply_labels(*engine_, again);
        {
            const index::Library library(engine_->library_folder(), index::OpenMode::ReadOnly);
            const auto labels = library.labels(run.files[0].id);
            QCOMPARE(labels, (std::vector<index::Label>{{set_.classes[static_cast<size_t>(other)].name}}));
        }
        review(*engine_, again, {0, false}, std::nullopt);
        QVERIFY(!labelled().moments[0].verdict);
    }

    void the_queue_asks_every_moment_once()
    {
        const LabelRun run = labelled();
        const std::vector<ReviewItem> queue = review_queue(*engine_, run, 1000);
        QCOMPARE(queue.size(), run.moments.size());
        std::vector<size_t> asked;
        int drawn = 0;
        for (const ReviewItem& item : queue) {
            asked.push_back(item.moment);
            drawn += item.drawn ? 1 : 0;
        }
        std::sort(asked.begin(), asked.end());
        QVERIFY(std::adjacent_find(asked.begin(), asked.end()) == asked.end());
        QVERIFY(drawn >= static_cast<int>(queue.size()) / 4);
        QCOMPARE(review_queue(*engine_, run, 4).size(), size_t(4));
        QCOMPARE(review_queue(*engine_, run, 0).size(), size_t(0));
    }

    void twenty_verdicts_mend_the_probabilities()
    {
        LabelRun run = labelled();
        LabelRun pure = run;
        for (size_t i = 0; i < run.moments.size(); ++i)
            run.moments[i].verdict = pure.moments[i].verdict = (run.moments[i].guess.labels[0] + 1) % 3;  // all wrong
        if (static_cast<int>(run.moments.size()) < kLeastCalibration) {
            while (static_cast<int>(run.moments.size()) < kLeastCalibration)
                run.moments.push_back(run.moments.front());
        }
        run.options.confidence = 0.5;
        calibrate(run);
        for (const LabelledMoment& moment : run.moments)
            QVERIFY(moment.guess.probability < 0.2 && !moment.guess.decided);
    }

    void coco_says_every_labelled_image_once()
    {
        const auto rows = export_rows(labelled());
        const QJsonObject coco = QJsonDocument::fromJson(QByteArray::fromStdString(exported(ExportFormat::Coco, rows))).object();
        QCOMPARE(coco["images"].toArray().size(), 6);
        QCOMPARE(coco["annotations"].toArray().size(), 6);
        QSet<int> images, categories, annotations;
        for (const auto& image : coco["images"].toArray()) {
            images.insert(image.toObject()["id"].toInt());
            QVERIFY(image.toObject()["width"].toInt() == 320 && image.toObject()["height"].toInt() == 240);
        }
        for (const auto& category : coco["categories"].toArray())
            categories.insert(category.toObject()["id"].toInt());
        for (const auto& value : coco["annotations"].toArray()) {
            const QJsonObject one = value.toObject();
            annotations.insert(one["id"].toInt());
            QVERIFY(images.contains(one["image_id"].toInt()) && categories.contains(one["category_id"].toInt()));
            QCOMPARE(one["bbox"].toArray(), (QJsonArray{0, 0, 320, 240}));
            QCOMPARE(one["area"].toInt(), 320 * 240);
        }
        QCOMPARE(annotations.size(), 6);
    }

    void web_vtt_has_a_cue_for_every_span()
    {
        index::Filter video;
        video.folders = {media_ / "video.mp4"};
        std::vector<ExportRow> rows = export_rows(labelled(video));
        rows[0].labels = {"a <line> & more"};
        const QString text = QString::fromStdString(exported(ExportFormat::WebVtt, rows));
        QVERIFY(text.startsWith("WEBVTT\n\n"));
        QVERIFY(text.contains("a &lt;line&gt; &amp; more\n"));
        const QRegularExpression cue(R"((\d\d):(\d\d):(\d\d\.\d\d\d) --> (\d\d):(\d\d):(\d\d\.\d\d\d)\n[^\n]+\n)");
        qsizetype cues = 0;
        double last = -1;
        for (auto found = cue.globalMatch(text); found.hasNext(); ++cues) {
            const auto match = found.next();
            const double start = match.captured(3).toDouble(), end = match.captured(6).toDouble();
            QVERIFY(start < end && start >= last);
            last = start;
        }
        QCOMPARE(cues, static_cast<qsizetype>(rows.size()));
    }

    void what_a_format_cannot_hold_is_refused()
    {
        const auto all = export_rows(labelled());
        const auto refused = [&](ExportFormat format, const std::vector<ExportRow>& rows) {
            try {
                exported(format, rows);
            } catch (const Error& error) {
                return error.kind() == ErrorKind::Usage;
            }
            return false;
        };
        QVERIFY(refused(ExportFormat::WebVtt, all));
        QVERIFY(refused(ExportFormat::WebVtt, {}));
        QVERIFY(refused(ExportFormat::Coco, export_rows(labelled(of_kind(media::Kind::Audio)))));
    }
};

QTEST_GUILESS_MAIN(TestLabelJob)
#include "tst_label_job.moc"
