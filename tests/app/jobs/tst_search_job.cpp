// SPDX-License-Identifier: Apache-2.0
// Searching end to end: parts are combined as they say, and an example finds itself.
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/jobs/jobs.h"
#include "app/jobs/query_vector.h"
#include "index/background.h"
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

    /// What the question's background makes of a moment, reckoned from the file itself.
    float told(const SearchResult& result, const fs::path& path, const index::Moment& moment)
    {
        const EmbeddedFile file = embed_file(*engine_, path);
        const auto at = std::find_if(file.moments.begin(), file.moments.end(),
                                     [&](const index::Moment& other) {
                                         return other.modality == moment.modality && other.start == moment.start;
                                     })
            - file.moments.begin();
        const std::span<const float> vector = file.vectors.row(static_cast<int>(at));
        const index::BankStats stats = index::bank_stats(vector, engine_->encoder().text_bank());
        return result.background.calibrated(index::bank_score(static_cast<float>(dot(result.query, vector)), stats.mean),
                                            moment.modality);
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
        // Whatever stands first, the example itself is none of the wrong ones.
        if (result.files.front().path == fs::canonical(media_ / name.toStdString()))
            QCOMPARE(result.files.front().wrong_share, 0.0f);
    }

    void examples_alone_are_judged_by_what_examples_have_taught()
    {
        const auto judged_by = [&](const std::vector<QueryPart>& parts) {
            const QueryVector made = query_vector(*engine_, *searcher_, parts, {}, {});
            return std::pair(made.by_example, made.examples.size());
        };
        const QueryPart picture = file(media_ / "picture2.png"), sound = file(media_ / "low.wav");
        QCOMPARE(judged_by({picture}), std::pair(true, size_t(1)));
        QCOMPARE(judged_by({picture, sound}), std::pair(true, size_t(2)));
        QCOMPARE(judged_by({picture, words("a ball")}), std::pair(false, size_t(1)));
        QCOMPARE(judged_by({picture, words("a ball", -0.5)}), std::pair(true, size_t(1)));
        QCOMPARE(judged_by({words("a ball")}), std::pair(false, size_t(0)));
    }

    void parts_meet_on_the_sphere()
    {
        const std::vector<std::string> texts{"a dog", "a ball"};
        const Vectors vectors = encode_queries(engine_->encoder(), engine_->lexicon(), texts);
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

    void what_was_judged_moves_the_query()
    {
        const auto vector = [&](const char* name) {
            const EmbeddedFile embedded = embed_file(*engine_, media_ / name);
            return std::vector<float>(embedded.vectors.row(0).begin(), embedded.vectors.row(0).end());
        };
        const auto judged = [&](const char* name, QueryPart::Role role) {
            QueryPart part = file(media_ / name);
            part.role = role;
            return part;
        };
        const std::vector<float> liked = vector("picture0.png"), disliked = vector("high.wav");
        const SearchResult before = find({words("a dog")});
        const SearchResult after =
            find({words("a dog"), judged("picture0.png", QueryPart::Role::More), judged("high.wav", QueryPart::Role::Less)});
        QVERIFY(dot(after.query, liked) > dot(before.query, liked));
        QVERIFY(dot(after.query, disliked) < dot(before.query, disliked));
        QVERIFY(std::abs(dot(after.query, after.query) - 1) < 1e-4);
        const SearchResult alone = find({judged("picture0.png", QueryPart::Role::More)});
        QVERIFY(dot(alone.query, liked) > 0.9999);
        QCOMPARE(alone.files.size(), size_t(3));
        for (const index::FileHit& hit : alone.files) {
            QCOMPARE(hit.score, hit.moments.front().score);
            for (const index::MomentHit& moment : hit.moments)
                QVERIFY(std::abs(moment.score - told(alone, hit.path, moment.moment)) < 0.02f);
        }
        QVERIFY_THROWS_EXCEPTION(Error, find({judged("picture0.png", QueryPart::Role::Less)}));
    }

    void a_concept_is_searched_as_it_was_saved()
    {
        QueryPart more = file(media_ / "picture1.png");
        more.role = QueryPart::Role::More;
        const std::vector<QueryPart> parts{words("a dog"), words("snow", -0.5), more};
        save_concept(*engine_, *searcher_, "mine", parts);
        QueryPart saved;
        saved.concept_name = "mine";
        const SearchResult direct = find(parts), by_name = find({saved});
        QVERIFY(dot(direct.query, by_name.query) > 0.9999);
        QCOMPARE(direct.files.front().path, by_name.files.front().path);
        // Saved under its own name again, it is what it was.
        save_concept(*engine_, *searcher_, "mine", {saved});
        QVERIFY(dot(find({saved}).query, by_name.query) > 0.9999);
        saved.concept_name = "nobody's";
        QVERIFY_THROWS_EXCEPTION(Error, find({saved}));
        QVERIFY_THROWS_EXCEPTION(Error, save_concept(*engine_, *searcher_, "", parts));
    }

    void a_concept_outlives_the_model_it_was_saved_with()
    {
        save_concept(*engine_, *searcher_, "old", {words("a ball"), file(media_ / "picture3.png", 2)});
        {
            index::Library library(engine_->library_folder(), index::OpenMode::ReadWrite);
            index::Concept saved = *library.find_concept("old");
            saved.space = "a model of before";
            saved.vector = {1, 0};
            library.put_concept(saved);
        }
        QueryPart part;
        part.concept_name = "old";
        QVERIFY(dot(find({part}).query, find({words("a ball"), file(media_ / "picture3.png", 2)}).query) > 0.9999);
    }

    void what_follows_is_found_in_the_same_file()
    {
        SearchRequest request{{words("anything")}, {}, 10, true};
        request.then = {words("something else")};
        request.within = 100;
        const SearchResult result = search(*engine_, *searcher_, request);
        QVERIFY(!result.files.empty());
        for (const index::FileHit& hit : result.files) {
            QVERIFY(hit.probe.kind != media::Kind::Image);
            QCOMPARE(hit.moments.size(), size_t(1));
        }
        request.then = {words("something else", -1)};
        QVERIFY_THROWS_EXCEPTION(Error, search(*engine_, *searcher_, request));
    }

    void names_answer_what_the_model_does_not_know()
    {
        SearchRequest request{{words("high")}, {}, 10, false};
        const SearchResult named = search(*engine_, *searcher_, request);
        QVERIFY(std::any_of(named.files.begin(), named.files.end(),
                            [&](const index::FileHit& hit) { return hit.path == media_ / "high.wav" && hit.coverage == 1.0f; }));
    }

    void slips_are_read_as_what_was_meant_but_not_in_literal_parts()
    {
        SearchRequest request{{words("an elefant", 2), words("girafe", -1)}, {}, 10, true};
        request.then = {words("a picture of hosre")};
        const SearchResult read = search(*engine_, *searcher_, request);
        const std::vector<std::pair<std::string, std::string>> expected{
            {"elefant", "elephant"}, {"girafe", "giraffe"}, {"hosre", "horse"}};
        QCOMPARE(read.read_as.size(), expected.size());
        for (size_t i = 0; i < expected.size(); ++i)
            QCOMPARE(std::pair(read.read_as[i].typed, read.read_as[i].read), expected[i]);
        QCOMPARE(read.query, find({words("an elephant", 2), words("giraffe", -1)}).query);
        QueryPart literal = words("an elefant");
        literal.literal = true;
        const SearchResult as_typed = find({literal});
        QVERIFY(as_typed.read_as.empty());
        QVERIFY(as_typed.query != find({words("an elephant")}).query);
        // Kept as a concept, it stays what it was.
        save_concept(*engine_, *searcher_, "typed", {literal});
        const std::string parts =
            index::Library(engine_->library_folder(), index::OpenMode::ReadOnly).find_concept("typed")->parts;
        QVERIFY(parts_from_json(parts, "typed").front().literal);
    }

    void sounds_are_held_back_where_pictures_are_asked_for_data()
    {
        QTest::addColumn<int>("which");
        QTest::addColumn<bool>("held");
        QTest::newRow("words for what is seen") << 0 << true;
        QTest::newRow("words for what is heard") << 1 << false;
        QTest::newRow("a picture") << 2 << true;
        QTest::newRow("a sound") << 3 << false;
        QTest::newRow("a picture, and a sound to stay away from") << 4 << true;
        QTest::newRow("what is seen, in sounds alone") << 5 << false;
        QTest::newRow("what is seen, in files of sound alone") << 6 << false;
    }
    void sounds_are_held_back_where_pictures_are_asked_for()
    {
        QFETCH(int, which);
        QFETCH(bool, held);
        const std::vector<std::vector<QueryPart>> questions{{words("a tower")},
                                                            {words("thunder")},
                                                            {file(media_ / "picture1.png")},
                                                            {file(media_ / "low.wav")},
                                                            {file(media_ / "picture1.png"), file(media_ / "low.wav", -0.5)},
                                                            {words("a tower")},
                                                            {words("a tower")}};
        index::Filter filter;
        if (which == 5)
            filter.modalities = {Modality::Sound};
        if (which == 6)
            filter.kinds = {media::Kind::Audio};
        const SearchResult result = find(questions[static_cast<size_t>(which)], filter, 10);
        QCOMPARE(result.background.held_back[static_cast<int>(Modality::Sound)], held ? index::kHeldBack : 0.0f);
        QCOMPARE(result.background.held_back[static_cast<int>(Modality::Picture)], 0.0f);
        const index::QueryBackground plain = engine_->background().of(result.query);
        int sounds = 0;
        for (const index::FileHit& hit : result.files)
            for (const index::MomentHit& moment : hit.moments)
                if (moment.moment.modality == Modality::Sound) {
                    ++sounds;
                    QVERIFY(std::abs(moment.score - told(result, hit.path, moment.moment)) < 0.02f);
                    const float before = moment.score + (held ? index::kHeldBack : 0.0f);
                    QVERIFY(std::abs(result.background.expected(moment.score, Modality::Sound, 3)
                                     - plain.expected(before, Modality::Sound, 3))
                            < 1e-4);
                }
        QVERIFY(sounds > 0);
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
