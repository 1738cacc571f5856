// SPDX-License-Identifier: Apache-2.0
// Search: exact scores, one scale, bands, and what a hit carries.
#include <cmath>

#include "core/base/error.h"
#include "tests/index/search_fixture.h"

namespace fs = std::filesystem;
using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

class TestSearch : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { fixture_ = std::make_unique<SearchFixture>(); }
    void cleanup() { fixture_.reset(); }

    void scores_equal_a_reference_in_double_precision();
    void k_counts_files_even_where_one_file_has_all_the_best_moments();
    void modalities_meet_on_one_scale();
    void a_vector_that_matches_everything_does_not_come_first();
    void bands_begin_where_the_cut_says();
    void below_the_cut_nothing_comes_unless_all_is_asked_for();
    void a_kind_that_scores_low_is_not_silenced_by_the_scale_of_another();
    void an_example_is_right_by_itself();
    void words_that_mean_nothing_have_no_right_hits();
    void a_hit_carries_its_relevant_moments_best_first();
    void relevance_is_in_time_order();
    void an_empty_library_answers_nothing();
    void a_missing_library_is_not_found();
    void refuses_a_query_that_makes_no_sense();
    void the_background_of_a_query_is_its_mean_and_deviation();

private:
    std::unique_ptr<SearchFixture> fixture_;
};

void TestSearch::scores_equal_a_reference_in_double_precision()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 5000);
    Searcher searcher(fixture_->folder());
    for (const int k : {1, 10, 200, 5000}) {
        for (int i = 0; i < 5; ++i) {
            const Query any = fixture_->query(k);
            QVERIFY_SAME(searcher.search(any, kBackground), fixture_->reference.search(any, kBackground, {}, anything));
        }
    }
    QCOMPARE(searcher.state().rebuilds, 1);
}

void TestSearch::k_counts_files_even_where_one_file_has_all_the_best_moments()
{
    Library library = fixture_->writer();
    const Query any = fixture_->query(5);
    FileEntry film = entry(fixture_->random, "/m/film", media::Kind::Audio, 2000);
    for (int i = 0; i < 2000; ++i) {
        const std::vector<float> good = fixture_->near(any, 0.9);
        std::copy(good.begin(), good.end(), film.vectors.values.begin() + i * kDim);
    }
    fixture_->put(library, film);
    fixture_->fill(library, 100);
    Searcher searcher(fixture_->folder());
    const std::vector<FileHit> hits = searcher.search(any, kBackground);
    QVERIFY_SAME(hits, fixture_->reference.search(any, kBackground, {}, anything));
    QCOMPARE(hits.size(), size_t(5));
    QCOMPARE(hits[0].path.native(), std::string("/m/film"));
    QCOMPARE(hits[0].moments.size(), size_t(2000));
}

void TestSearch::modalities_meet_on_one_scale()
{
    Library library = fixture_->writer();
    const Query any = fixture_->query(10);
    const auto with = [&](const char* path, media::Kind kind, double cosine) {
        FileEntry file = entry(fixture_->random, path, kind);
        file.vectors.values = fixture_->near(any, cosine);
        fixture_->put(library, file);
    };
    with("/m/picture", media::Kind::Image, 0.6);
    with("/m/sound", media::Kind::Audio, 0.4);
    Searcher searcher(fixture_->folder());
    // By its cosine the picture wins; but among sounds a cosine like this one is far rarer.
    const QueryBackground rare_sounds{{2.0f * kByChance, -1.0f * kByChance}, {1.5f * kByChance, 0.5f * kByChance}};
    QCOMPARE(searcher.search(any, {})[0].path.native(), std::string("/m/picture"));
    const std::vector<FileHit> hits = searcher.search(any, rare_sounds);
    QCOMPARE(hits[0].path.native(), std::string("/m/sound"));
    QVERIFY_SAME(hits, fixture_->reference.search(any, rare_sounds, {}, anything));
}

void TestSearch::a_vector_that_matches_everything_does_not_come_first()
{
    // The hub stands in the midst of all texts: its cosine to any of them is high, and says nothing.
    Vectors texts;
    texts.dim = kDim;
    const Query centre = fixture_->query(1);
    for (int i = 0; i < 64; ++i)
        texts.append(fixture_->near(centre, 0.4 + 0.5 * i / 63));
    Query any{.vector = fixture_->near(centre, 0.7), .filter = {}, .k = 2, .all = true};
    FileEntry hub = entry(fixture_->random, "/m/hub"), right = entry(fixture_->random, "/m/right");
    hub.vectors.values = fixture_->near(centre, 0.999);
    right.vectors.values = fixture_->near(any, 0.68);
    const auto cosine = [&](const FileEntry& file) {
        double sum = 0;
        for (int d = 0; d < kDim; ++d)
            sum += file.vectors.values[d] * any.vector[d];
        return sum;
    };
    // Away from the centre, so that what it shares with the query is the query's own.
    for (int d = 0; d < kDim; ++d)
        right.vectors.values[d] -= 0.38f * centre.vector[d];
    double squares = 0;
    for (const float value : right.vectors.values)
        squares += value * value;
    for (float& value : right.vectors.values)
        value = static_cast<float>(value / std::sqrt(squares));
    QVERIFY(cosine(hub) > cosine(right) + 0.1);
    Library library = fixture_->writer();
    library.put(hub, kSpace, texts);
    library.put(right, kSpace, texts);
    Searcher searcher(fixture_->folder());
    QCOMPARE(searcher.search(any, {})[0].path.native(), std::string("/m/right"));
}

void TestSearch::bands_begin_where_the_cut_says()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 200);
    Searcher searcher(fixture_->folder());
    const Query any = fixture_->query(1000);
    const Cut cut{1.0f, 0.25f};
    bool seen[3] = {};
    for (const FileHit& hit : searcher.search(any, kBackground, cut)) {
        QCOMPARE(hit.band, hit.score >= 1.0f ? Band::Likely : hit.score >= 0.25f ? Band::Maybe : Band::Unlikely);
        seen[static_cast<int>(hit.band)] = true;
    }
    QVERIFY(seen[0] && seen[1] && seen[2]);
    QCOMPARE(band_name(Band::Likely), "likely");
    QCOMPARE(band_name(Band::Maybe), "maybe");
    QCOMPARE(band_name(Band::Unlikely), "unlikely");
}

void TestSearch::below_the_cut_nothing_comes_unless_all_is_asked_for()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 3000);
    Searcher searcher(fixture_->folder());
    Query any = fixture_->query(100'000, false);
    const Cut cut{3.0f, 2.0f};
    const std::vector<FileHit> hits = searcher.search(any, kBackground, cut);
    QVERIFY(!hits.empty() && hits.size() < 200);
    QVERIFY_SAME(hits, fixture_->reference.search(any, kBackground, cut, anything));
    QVERIFY(searcher.search(any, kBackground, {100, 99}).empty());
    any.all = true;
    QCOMPARE(searcher.search(any, kBackground, {100, 99}).size(), static_cast<size_t>(library.counts().files));
}

void TestSearch::a_kind_that_scores_low_is_not_silenced_by_the_scale_of_another()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 3000);
    Searcher searcher(fixture_->folder());
    Query any = fixture_->query(100'000, false);
    QueryBackground background{{0, 0}, {kByChance, kByChance}};
    const auto sounds = [&] {
        const std::vector<FileHit> hits = searcher.search(any, background);
        return std::count_if(hits.begin(), hits.end(),
                             [](const FileHit& hit) { return hit.moments.front().moment.modality == Modality::Sound; });
    };
    const auto before = sounds();
    background.reliability.of[1] = {.maybe = 1.2f, .likely = 9, .intercept = 3, .slope = 0.2f};
    QVERIFY(sounds() > before);
    any.all = true;
    for (const FileHit& hit : searcher.search(any, background))
        if (hit.moments.front().moment.modality == Modality::Sound)
            QVERIFY(hit.band != Band::Likely);
}

void TestSearch::an_example_is_right_by_itself()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 500);
    Searcher searcher(fixture_->folder());
    Query any = fixture_->query(3);
    const FileHit first = searcher.search(any, kBackground).front();
    QVERIFY(first.wrong_share > 0);
    any.examples = {first.path, "/m/not held"};
    const std::vector<FileHit> hits = searcher.search(any, kBackground);
    QCOMPARE(hits[0].path.native(), first.path.native());
    QCOMPARE(hits[0].wrong_share, 0.0f);
    QVERIFY(hits[1].wrong_share > 0);
}

void TestSearch::words_that_mean_nothing_have_no_right_hits()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 300);
    Searcher searcher(fixture_->folder());
    Query any = fixture_->query(20, true);
    QVERIFY(searcher.search(any, kBackground).front().wrong_share < 1);
    any.meaningless = true;
    for (const FileHit& hit : searcher.search(any, kBackground))
        QCOMPARE(hit.wrong_share, 1.0f);
    any.all = false;
    QVERIFY(searcher.search(any, kBackground).empty());
}

void TestSearch::a_hit_carries_its_relevant_moments_best_first()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 1000);
    Searcher searcher(fixture_->folder());
    const Query any = fixture_->query(1000);
    const Cut cut{1.5f, 0.5f};
    for (const FileHit& hit : searcher.search(any, kBackground, cut)) {
        const FileEntry& file = fixture_->reference.file(hit.path.native());
        QCOMPARE(hit.probe.kind, file.probe.kind);
        QCOMPARE(hit.mtime, file.facts.mtime_ns / 1'000'000'000);
        const std::vector<double> scores = Reference::scores(file, any.vector, kBackground);
        const auto relevant = std::count_if(scores.begin(), scores.end(), [](double score) { return score >= 0.5; });
        QCOMPARE(static_cast<int64_t>(hit.moments.size()), std::max<int64_t>(relevant, 1));
        for (size_t i = 0; i < hit.moments.size(); ++i) {
            const MomentHit& moment = hit.moments[i];
            QVERIFY(i == 0 || moment.score <= hit.moments[i - 1].score);
            bool found = false;  // the moment with this time and modality has this score
            for (size_t j = 0; j < scores.size(); ++j)
                found |= file.moments[j].modality == moment.moment.modality && file.moments[j].start == moment.moment.start
                    && file.moments[j].end == moment.moment.end && std::abs(scores[j] - moment.score) < 1e-4;
            QVERIFY(found);
        }
    }
}

void TestSearch::relevance_is_in_time_order()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 50);
    const FileEntry film = entry(fixture_->random, "/m/film", media::Kind::Video, 30);
    fixture_->put(library, film);
    Searcher searcher(fixture_->folder());
    Query any = fixture_->query();
    const std::vector<double> scores = Reference::scores(film, any.vector, kBackground);
    std::vector<MomentHit> strip = searcher.relevance("/m/film", any, kBackground);
    QCOMPARE(strip.size(), size_t(60));
    for (size_t i = 0; i < strip.size(); ++i) {
        QCOMPARE(strip[i].moment.start, film.moments[i].start);
        QVERIFY(std::abs(strip[i].score - scores[i]) < 1e-4);
    }
    any.filter.modalities = {Modality::Sound};
    strip = searcher.relevance("/m/film", any, kBackground);
    QCOMPARE(strip.size(), size_t(30));
    QVERIFY(std::abs(strip[7].score - scores[15]) < 1e-4);
    try {
        searcher.relevance("/m/none", any, kBackground);
        QFAIL("no error was thrown");
    } catch (const Error& error) {
        QVERIFY(error.kind() == ErrorKind::NotFound);
    }
}

void TestSearch::an_empty_library_answers_nothing()
{
    {
        Library library(fixture_->folder(), OpenMode::ReadWrite);
    }
    Searcher searcher(fixture_->folder());
    QVERIFY(searcher.search(fixture_->query(), kBackground).empty());
    Library library = fixture_->writer();
    QVERIFY(searcher.search(fixture_->query(), kBackground).empty());
    fixture_->fill(library, 10);
    QVERIFY(!searcher.search(fixture_->query(), kBackground).empty());
}

void TestSearch::a_missing_library_is_not_found()
{
    try {
        Searcher searcher(fixture_->folder());
        QFAIL("no error was thrown");
    } catch (const Error& error) {
        QVERIFY(error.kind() == ErrorKind::NotFound);
    }
}

void TestSearch::refuses_a_query_that_makes_no_sense()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 10);
    Searcher searcher(fixture_->folder());
    Query none = fixture_->query(0), small = fixture_->query();
    small.vector.resize(8);
    for (const Query& wrong : {none, small}) {
        try {
            searcher.search(wrong, kBackground);
            QFAIL("no error was thrown");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::Usage);
        }
    }
}

void TestSearch::the_background_of_a_query_is_its_mean_and_deviation()
{
    const Vectors pictures = random_vectors(fixture_->random, 300), sounds = random_vectors(fixture_->random, 1);
    const Query any = fixture_->query();
    const QueryBackground background = QueryBackground::of(any.vector, bank(), pictures, sounds);
    FileEntry all = entry(fixture_->random, "/m/a", media::Kind::Audio, 300);
    for (Moment& moment : all.moments)
        moment.modality = Modality::Picture;
    all.vectors = pictures;
    double mean = 0, squares = 0;
    const std::vector<double> scores = Reference::scores(all, any.vector, {});
    for (const double score : scores)
        mean += score / 300;
    for (const double score : scores)
        squares += (score - mean) * (score - mean) / 300;
    QVERIFY(std::abs(background.mean[0] - mean) < 2e-3);
    QVERIFY(std::abs(background.deviation[0] - std::sqrt(squares)) < 2e-3);
    QCOMPARE(background.mean[1], 0.0f);  // one moment is no background: directions drawn by chance are
    QCOMPARE(background.deviation[1], 1 / std::sqrt(static_cast<float>(any.vector.size())));
}

QTEST_APPLESS_MAIN(TestSearch)
#include "tst_search.moc"
