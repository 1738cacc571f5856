// SPDX-License-Identifier: Apache-2.0
// Searching end to end: parts are combined as they say, and an example finds itself.
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <numeric>

#include "app/jobs/jobs.h"
#include "tests/app/jobs/test_media.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::jobs;
using namespace imprint::tests;
namespace fs = std::filesystem;

namespace {

QueryPart words(const std::string& text, double weight = 1) { return {text, {}, {}, {}, weight}; }
QueryPart file(const fs::path& path, double weight = 1) { return {{}, path, {}, {}, weight}; }
double dot(std::span<const float> a, std::span<const float> b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

}  // namespace

class TestSearchJob : public QObject {
    Q_OBJECT

private:
    QTemporaryDir dir_;
    fs::path media_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<index::Searcher> searcher_;

    SearchResult find(std::vector<QueryPart> parts, index::Filter filter = {}, int k = 3)
    {
        return search(*engine_, *searcher_, {std::move(parts), std::move(filter), k, true});
    }

private Q_SLOTS:
    void initTestCase()
    {
        const fs::path root = fs::canonical(dir_.path().toStdString());
        media_ = root / "media";
        fs::create_directories(media_);
        for (int i = 0; i < 4; ++i)
            make_picture(media_ / ("picture" + std::to_string(i) + ".png"), i);
        make_video(media_ / "video.mp4", 5);
        make_sound(media_ / "low.wav", 3, "sine=frequency=200");
        make_sound(media_ / "high.wav", 3, "sine=frequency=3000");
        make_sound(media_ / "silence.wav", 1, "anullsrc");
        EngineOptions options;
        options.library = root / "library";
        options.checkpoint = make_tiny_checkpoint(root);
        options.decoder.worker = fs::path(IMPRINT_BIN_DIR) / "imprint-decode";
        engine_ = std::make_unique<Engine>(options);
        QCOMPARE(index_paths(*engine_, {media_}).indexed, 8);
        searcher_ = std::make_unique<index::Searcher>(engine_->library_folder());
    }
    void cleanupTestCase() { searcher_.reset(), engine_.reset(); }

    void an_example_stands_with_its_own_vector_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : {"picture2.png", "low.wav", "high.wav"})
            QTest::newRow(name) << name;
    }
    void an_example_stands_with_its_own_vector()
    {
        QFETCH(QString, name);
        const SearchResult result = find({file(media_ / name.toStdString())}, {}, 100);
        const EmbeddedFile embedded = embed_file(*engine_, media_ / name.toStdString());
        QCOMPARE(embedded.vectors.count(), 1);
        QVERIFY(dot(result.query, embedded.vectors.row(0)) > 0.9999);
        QCOMPARE(result.files.size(), size_t(7));  // silence has no moment to be found by
        QCOMPARE(QString::fromStdString(result.space), QString::fromStdString(engine_->encoder().space()));
    }

    void parts_meet_on_the_sphere()
    {
        const std::vector<std::string> texts{"a dog", "a ball"};
        const Vectors vectors = engine_->encoder().encode_texts(texts);
        for (const double weight : {1.0, 0.25, -0.6}) {
            const std::vector<float> query = find({words("a dog"), words("a ball", weight)}).query;
            std::vector<float> sum(query.size());
            for (size_t i = 0; i < sum.size(); ++i)
                sum[i] = vectors.row(0)[i] + static_cast<float>(weight) * vectors.row(1)[i];
            QVERIFY(std::abs(dot(query, query) - 1) < 1e-5);
            QVERIFY(dot(query, sum) / std::sqrt(dot(sum, sum)) > 0.99999);
        }
    }

    void a_video_is_asked_for_by_its_picture_its_sound_or_both()
    {
        const EmbeddedFile embedded = embed_file(*engine_, media_ / "video.mp4");
        const std::vector<float> both = find({file(media_ / "video.mp4")}).query;
        for (const Modality modality : {Modality::Picture, Modality::Sound}) {
            index::Filter filter;
            filter.modalities = {modality};
            const SearchResult result = find({file(media_ / "video.mp4")}, filter);
            double best = 0;
            for (int i = 0; i < embedded.vectors.count(); ++i)
                if (embedded.moments[i].modality == modality)
                    best = std::max(best, dot(result.query, embedded.vectors.row(i)));
            QVERIFY(best > 0.95);
            QVERIFY(dot(result.query, both) < 0.9999);
            for (const index::FileHit& hit : result.files)
                for (const index::MomentHit& moment : hit.moments)
                    QCOMPARE(moment.moment.modality, modality);
        }
    }

    void filters_leave_k_results_of_what_passes()
    {
        index::Filter filter;
        filter.kinds = {media::Kind::Image};
        const SearchResult result = find({words("anything")}, filter, 3);
        QCOMPARE(result.files.size(), size_t(3));
        for (const index::FileHit& hit : result.files)
            QCOMPARE(hit.probe.kind, media::Kind::Image);
    }

    void nonsense_is_refused_data()
    {
        QTest::addColumn<int>("which");
        QTest::newRow("no part") << 0;
        QTest::newRow("only exclusions") << 1;
        QTest::newRow("nothing wanted") << 2;
        QTest::newRow("weight of zero") << 3;
        QTest::newRow("parts that cancel out") << 4;
        QTest::newRow("silence as an example") << 5;
        QTest::newRow("empty words") << 6;
    }
    void nonsense_is_refused()
    {
        const std::vector<SearchRequest> requests{
            {{}, {}, 5, true},
            {{words("a dog", -1)}, {}, 5, true},
            {{words("a dog")}, {}, 0, true},
            {{words("a dog", 0)}, {}, 5, true},
            {{words("a dog"), words("a dog", -1)}, {}, 5, true},
            {{file(media_ / "silence.wav")}, {}, 5, true},
            {{words("")}, {}, 5, true},
        };
        QFETCH(int, which);
        try {
            search(*engine_, *searcher_, requests[static_cast<size_t>(which)]);
            QFAIL("was answered");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Usage);
        }
    }
};

QTEST_GUILESS_MAIN(TestSearchJob)
#include "tst_search_job.moc"
