// SPDX-License-Identifier: Apache-2.0
// Verdicts on moments: facts that outlive models, the labels that they bring, and guesses that give way to them.
#include "core/base/error.h"
#include "index/label_store.h"
#include "tests/index/search_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

class TestLabelStore : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { fixture_ = std::make_unique<SearchFixture>(); }
    void cleanup() { fixture_.reset(); }

    void a_verdict_brings_a_label_and_takes_it_along();
    void a_label_that_was_there_before_stays();
    void a_later_verdict_replaces_an_earlier_one();
    void verdicts_outlive_a_file_indexed_again_and_moved();
    void guesses_are_replaced_and_never_cover_a_persons_word();
    void stored_moments_are_what_was_put();

private:
    Library reader() const { return {fixture_->folder(), OpenMode::ReadOnly}; }
    std::unique_ptr<LabelStore> store() const { return std::make_unique<LabelStore>(fixture_->folder(), OpenMode::ReadWrite); }
    void put(const FileEntry& entry)
    {
        Library library = fixture_->writer();
        fixture_->put(library, entry);
    }
    std::unique_ptr<SearchFixture> fixture_;
};

namespace {

Review verdict(int64_t file, const std::string& label, double start, double end)
{
    return {file, {Modality::Picture, start, end}, "animals", label, false};
}

}  // namespace

void TestLabelStore::a_verdict_brings_a_label_and_takes_it_along()
{
    put(entry(fixture_->random, "/m/film", media::Kind::Video, 3));
    put(entry(fixture_->random, "/m/photo"));
    const int64_t film = reader().find("/m/film")->id, photo = reader().find("/m/photo")->id;
    store()->put_review(verdict(film, "dog", 0, 4));
    Review still{photo, {Modality::Picture, {}, {}}, "animals", "cat", true};
    store()->put_review(still);
    store()->put_review(verdict(film, "", 4, 8));
    QCOMPARE(reader().labels(film), (std::vector<Label>{{"dog", 0, 4}}));
    QCOMPARE(reader().labels(photo), (std::vector<Label>{{"cat"}}));
    const std::vector<Review> all = store()->reviews("animals");
    QCOMPARE(all.size(), size_t(3));
    QVERIFY(all[2].drawn && all[2].label == "cat" && !all[2].moment.start);
    QVERIFY(all[1].label.empty() && all[1].moment.start == 4.0);
    QVERIFY(store()->reviews("instruments").empty());
    QVERIFY(store()->drop_review(still));
    QVERIFY(!store()->drop_review(still));
    QVERIFY(reader().labels(photo).empty());
}

void TestLabelStore::a_label_that_was_there_before_stays()
{
    put(entry(fixture_->random, "/m/photo"));
    const int64_t photo = reader().find("/m/photo")->id;
    fixture_->writer().add_label("/m/photo", {"cat"});
    const Review still{photo, {Modality::Picture, {}, {}}, "animals", "cat", false};
    store()->put_review(still);
    QVERIFY(store()->drop_review(still));
    QCOMPARE(reader().labels(photo), (std::vector<Label>{{"cat"}}));
}

void TestLabelStore::a_later_verdict_replaces_an_earlier_one()
{
    put(entry(fixture_->random, "/m/film", media::Kind::Video, 3));
    const int64_t film = reader().find("/m/film")->id;
    for (const char* label : {"dog", "wolf", "wolf"})
        store()->put_review(verdict(film, label, 0, 4));
    QCOMPARE(store()->reviews("animals").size(), size_t(1));
    QCOMPARE(reader().labels(film), (std::vector<Label>{{"wolf", 0, 4}}));
    store()->put_review(verdict(film, "", 0, 4));
    QVERIFY(reader().labels(film).empty());
}

void TestLabelStore::verdicts_outlive_a_file_indexed_again_and_moved()
{
    FileEntry film = entry(fixture_->random, "/m/film", media::Kind::Video, 3);
    put(film);
    store()->put_review(verdict(reader().find("/m/film")->id, "dog", 0, 4));
    film.facts.size = 7;
    film.vectors = random_vectors(fixture_->random, film.vectors.count());
    put(film);
    QCOMPARE(store()->reviews("animals").size(), size_t(1));
    fixture_->writer().relink("/m", "/n");
    QCOMPARE(store()->reviews("animals").front().file, reader().find("/n/film")->id);
    QVERIFY(reader().check().empty());
}

void TestLabelStore::guesses_are_replaced_and_never_cover_a_persons_word()
{
    put(entry(fixture_->random, "/m/film", media::Kind::Video, 3));
    const int64_t film = reader().find("/m/film")->id;
    store()->put_review(verdict(film, "dog", 0, 4));
    store()->replace_guesses(film, {"dog", "cat"}, {{"dog", 0, 4}, {"cat", 4, 8}});
    QCOMPARE(reader().labels(film), (std::vector<Label>{{"dog", 0, 4}, {"cat", 4, 8, true}}));
    fixture_->writer().add_label("/m/film", {"tree", 1, 2, true});
    store()->replace_guesses(film, {"dog", "cat"}, {});
    QCOMPARE(reader().labels(film), (std::vector<Label>{{"dog", 0, 4}, {"tree", 1, 2, true}}));
}

void TestLabelStore::stored_moments_are_what_was_put()
{
    const FileEntry film = entry(fixture_->random, "/m/film", media::Kind::Video, 3);
    put(film);
    put(entry(fixture_->random, "/m/photo"));
    QCOMPARE(store()->matching({}).size(), size_t(2));
    Filter videos;
    videos.kinds = {media::Kind::Video};
    QCOMPARE(store()->matching(videos).size(), size_t(1));
    const int64_t id = reader().find("/m/film")->id;
    const StoredMoments stored = store()->stored(id);
    QCOMPARE(stored.moments.size(), film.moments.size());
    for (size_t i = 0; i < film.moments.size(); ++i) {
        QVERIFY(stored.moments[i].modality == film.moments[i].modality && stored.moments[i].start == film.moments[i].start);
        double cosine = 0, mean = 0;
        for (int d = 0; d < kDim; ++d)
            cosine += stored.vectors.row(static_cast<int>(i))[d] * film.vectors.row(static_cast<int>(i))[d];
        QVERIFY(cosine > 0.999);
        for (int text = 0; text < bank().count(); ++text)
            for (int d = 0; d < kDim; ++d)
                mean += bank().row(text)[d] * stored.vectors.row(static_cast<int>(i))[d] / bank().count();
        QVERIFY(std::abs(mean - stored.mean[i]) < 1e-4);
        QVERIFY(stored.deviation[i] > 0);
    }
}

QTEST_APPLESS_MAIN(TestLabelStore)
#include "tst_label_store.moc"
