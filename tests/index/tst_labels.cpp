// SPDX-License-Identifier: Apache-2.0
// Labels, stars and words: what people say of files, and finding files by it.
#include <cmath>

#include "core/base/error.h"
#include "index/names.h"
#include "tests/index/search_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

class TestLabels : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { fixture_ = std::make_unique<SearchFixture>(); }
    void cleanup() { fixture_.reset(); }

    void labels_outlive_a_file_indexed_again();
    void stars_are_given_to_all_or_none();
    void a_persons_word_replaces_a_guess();
    void only_indexed_files_can_be_labelled();
    void words_that_name_nothing_are_left_out_data();
    void words_that_name_nothing_are_left_out();
    void words_find_files_data();
    void words_find_files();
    void words_follow_every_change();
    void a_word_weighs_as_much_as_it_is_rare();
    void a_concept_comes_back_as_it_was_saved();

private:
    std::vector<std::string> found(Query query, const std::string& words)
    {
        query.words = words;
        query.meaningless = true;  // so that words alone find
        query.all = false;
        Searcher searcher(fixture_->folder());
        std::vector<std::string> paths;
        for (const FileHit& hit : searcher.search(query, kBackground, {2, 1}))
            paths.push_back(hit.path.native());
        std::sort(paths.begin(), paths.end());
        return paths;
    }
    std::unique_ptr<SearchFixture> fixture_;
};

void TestLabels::labels_outlive_a_file_indexed_again()
{
    Library library = fixture_->writer();
    FileEntry film = entry(fixture_->random, "/m/film", media::Kind::Video, 3);
    fixture_->put(library, film);
    library.add_label("/m/film", {"party", 5, 10});
    library.add_label("/m/film", {"Grandma"});
    library.add_label("/m/film", {"Grandma"});
    library.rate("/m/film", 4);
    film.facts.size = 7;
    film.vectors = random_vectors(fixture_->random, film.vectors.count());
    fixture_->put(library, film);
    const int64_t id = library.find("/m/film")->id;
    const std::vector<Label> wanted{{"Grandma"}, {"party", 5, 10}};
    QVERIFY(library.labels(id) == wanted);
    QCOMPARE(library.rating(id), 4);
    QVERIFY(library.remove_label("/m/film", "party"));
    QVERIFY(!library.remove_label("/m/film", "party"));
    library.rate("/m/film", 0);
    QCOMPARE(library.labels(id).size(), size_t(1));
    QCOMPARE(library.rating(id), 0);
    QVERIFY(library.check().empty());
}

void TestLabels::stars_are_given_to_all_or_none()
{
    Library library = fixture_->writer();
    for (const char* path : {"/m/a", "/m/b", "/m/c"})
        fixture_->put(library, entry(fixture_->random, path));
    const auto id = [&](const char* path) { return library.find(path)->id; };
    using Given = std::vector<std::pair<int64_t, int>>;
    QVERIFY(library.ratings().empty());
    library.rate({{"/m/c", 5}, {"/m/a", 2}});
    QVERIFY(library.ratings() == (Given{{id("/m/a"), 2}, {id("/m/c"), 5}}));
    QVERIFY_THROWS_EXCEPTION(Error, library.rate({{"/m/b", 3}, {"/m/none", 3}}));
    QVERIFY_THROWS_EXCEPTION(Error, library.rate({{"/m/b", 3}, {"/m/a", 6}}));
    QVERIFY(library.ratings() == (Given{{id("/m/a"), 2}, {id("/m/c"), 5}}));
    library.rate({{"/m/c", 0}, {"/m/a", 1}, {"/m/b", 3}});
    QVERIFY(library.ratings() == (Given{{id("/m/a"), 1}, {id("/m/b"), 3}}));
}

void TestLabels::a_persons_word_replaces_a_guess()
{
    Library library = fixture_->writer();
    fixture_->put(library, entry(fixture_->random, "/m/a"));
    const int64_t id = library.find("/m/a")->id;
    library.add_label("/m/a", {"dog", {}, {}, true});
    QVERIFY(library.labels(id).front().guessed);
    library.add_label("/m/a", {"dog"});
    library.add_label("/m/a", {"dog", {}, {}, true});
    QCOMPARE(library.labels(id).size(), size_t(1));
    QVERIFY(!library.labels(id).front().guessed);
}

void TestLabels::only_indexed_files_can_be_labelled()
{
    Library library = fixture_->writer();
    library.put_failure(facts("/m/broken"), {"/m/broken", "malformed", "cut off", 1});
    for (const char* path : {"/m/none", "/m/broken"}) {
        for (const auto& act :
             std::vector<std::function<void()>>{[&] { library.add_label(path, {"x"}); }, [&] { library.remove_label(path, "x"); },
                                                [&] { library.rate(path, 3); }}) {
            try {
                act();
                QFAIL("no error was thrown");
            } catch (const Error& error) {
                QVERIFY(error.kind() == ErrorKind::NotFound);
                QCOMPARE(error.subject(), std::string(path));
            }
        }
    }
}

void TestLabels::words_that_name_nothing_are_left_out_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QStringList>("words");
    QTest::newRow("a sentence") << "A dog at the window, with a Dog" << QStringList{"dog", "window"};
    QTest::newRow("a file name") << "IMG_2031.jpg" << QStringList{"img", "2031", "jpg"};
    QTest::newRow("not English") << QString::fromUtf8("Café am See") << QStringList{QString::fromUtf8("café"), "am", "see"};
    QTest::newRow("signs of the query language") << "\"* OR (NEAR\" ^-{" << QStringList{};
    QTest::newRow("nothing") << "" << QStringList{};
}

void TestLabels::words_that_name_nothing_are_left_out()
{
    QFETCH(QString, text);
    QFETCH(QStringList, words);
    QStringList named;
    for (const std::string& word : naming_words(text.toStdString()))
        named << QString::fromStdString(word);
    QCOMPARE(named, words);
}

void TestLabels::words_find_files_data()
{
    QTest::addColumn<QString>("words");
    QTest::addColumn<QStringList>("paths");
    QTest::newRow("name") << "beach" << QStringList{"/m/beach_day-2019.jpg"};
    QTest::newRow("stem") << "beaches" << QStringList{"/m/beach_day-2019.jpg"};
    QTest::newRow("accents") << "cafe" << QStringList{"/m/Caf\xc3\xa9.png"};
    QTest::newRow("a number") << "2019" << QStringList{"/m/beach_day-2019.jpg"};
    QTest::newRow("folder") << "holidays" << QStringList{"/m/Holidays/1.png"};
    QTest::newRow("label") << "party" << QStringList{"/m/x.png"};
    QTest::newRow("label of two words") << "big party" << QStringList{"/m/x.png"};
    QTest::newRow("signs of the query language") << "\"beach\" AND (" << QStringList{"/m/beach_day-2019.jpg"};
    QTest::newRow("nowhere") << "elephant" << QStringList{};
}

void TestLabels::words_find_files()
{
    QFETCH(QString, words);
    QFETCH(QStringList, paths);
    Library library = fixture_->writer();
    fixture_->fill(library, 50, "/n/");
    for (const char* path : {"/m/beach_day-2019.jpg", "/m/Caf\xc3\xa9.png", "/m/Holidays/1.png", "/m/x.png"})
        fixture_->put(library, entry(fixture_->random, path));
    library.add_label("/m/x.png", {"big party"});
    QStringList got;
    for (const std::string& path : found(fixture_->query(10), words.toStdString()))
        got << QString::fromStdString(path);
    QCOMPARE(got, paths);
}

void TestLabels::words_follow_every_change()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 30, "/n/");
    fixture_->put(library, entry(fixture_->random, "/m/dog.jpg"));
    const Query any = fixture_->query(10);
    QCOMPARE(found(any, "dog").size(), size_t(1));
    library.add_label("/n/1", {"dog"});
    QCOMPARE(found(any, "dog").size(), size_t(2));
    library.remove_label("/n/1", "dog");
    QCOMPARE(found(any, "dog").size(), size_t(1));
    library.put_failure(facts("/m/dog.jpg"), {"/m/dog.jpg", "malformed", "cut off", 1});
    QVERIFY(found(any, "dog").empty());
    fixture_->put(library, entry(fixture_->random, "/m/dog.jpg"));
    QCOMPARE(found(any, "dog").size(), size_t(1));
}

void TestLabels::a_word_weighs_as_much_as_it_is_rare()
{
    Library library = fixture_->writer();
    for (int i = 0; i < 40; ++i)
        fixture_->put(library, entry(fixture_->random, "/m/holiday " + std::to_string(i) + ".jpg"));
    fixture_->put(library, entry(fixture_->random, "/m/lighthouse.jpg"));
    fixture_->put(library, entry(fixture_->random, "/m/holiday lighthouse.jpg"));
    Query any = fixture_->query(3);
    any.words = "holiday lighthouse";
    Searcher searcher(fixture_->folder());
    const std::vector<FileHit> hits = searcher.search(any, kBackground);
    std::map<std::string, float> coverage;
    for (const FileHit& hit : hits)
        coverage[hit.path.filename().native()] = hit.coverage;
    QCOMPARE(coverage["holiday lighthouse.jpg"], 1.0f);
    QVERIFY(coverage["lighthouse.jpg"] > 0.8f && coverage["lighthouse.jpg"] < 1);
}

void TestLabels::a_concept_comes_back_as_it_was_saved()
{
    Library library = fixture_->writer();
    const Concept first{"sunset", "[1]", kSpace, fixture_->query().vector},
        second{"sunset", "[2]", kSpace, fixture_->query().vector};
    library.put_concept(first);
    library.put_concept({"another", "[]", "other", {1, 0}});
    library.put_concept(second);
    const Library reader(fixture_->folder(), OpenMode::ReadOnly);
    QCOMPARE(reader.concepts().size(), size_t(2));
    QCOMPARE(reader.concepts()[0].name, std::string("another"));
    const auto found = reader.find_concept("sunset");
    QVERIFY(found && found->parts == "[2]" && found->vector == second.vector && found->space == kSpace);
    QVERIFY(library.drop_concept("sunset"));
    QVERIFY(!library.drop_concept("sunset") && !library.find_concept("sunset"));
}

QTEST_APPLESS_MAIN(TestLabels)
#include "tst_labels.moc"
