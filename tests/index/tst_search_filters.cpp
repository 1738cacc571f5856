// SPDX-License-Identifier: Apache-2.0
// Filters apply inside the search, so that k results stay k.
#include "tests/index/search_fixture.h"

namespace fs = std::filesystem;
using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

class TestSearchFilters : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { fixture_ = std::make_unique<SearchFixture>(); }
    void cleanup() { fixture_.reset(); }

    void a_filter_keeps_k_data();
    void a_filter_keeps_k();
    void by_date_the_same_files_come_in_another_order();
    void words_raise_what_meaning_would_not_show();
    void nothing_comes_for_noise_but_what_words_find();

private:
    std::unique_ptr<SearchFixture> fixture_;
};

void TestSearchFilters::a_filter_keeps_k_data()
{
    QTest::addColumn<QString>("what");
    for (const char* what : {"images", "videos and sounds", "folder", "folder of bytes", "after", "between", "picture", "sound",
                             "sounds of videos in a folder", "lasting long", "lasting a while", "a label", "two labels",
                             "a label and stars", "nothing matches"})
        QTest::newRow(what) << what;
}

void TestSearchFilters::a_filter_keeps_k()
{
    QFETCH(QString, what);
    Library library = fixture_->writer();
    fixture_->fill(library, 600, "/m/");
    fixture_->fill(library, 300, "/m/in/");
    fixture_->fill(library, 300, "/m/in-between/");
    fixture_->fill(library, 200, "/m/caf\xe9/");
    const auto number_of = [](const FileEntry& file) { return std::stoi(file.facts.path.filename().native()); };
    for (const auto& [path, file] : fixture_->reference.files()) {
        if (number_of(file) % 2 == 0)
            library.add_label(path, {"even", {}, {}, false});
        if (number_of(file) % 3 == 0)
            library.add_label(path, {"third", 0, 1, false});
        library.rate(path, number_of(file) % 5 + 1);
    }
    Searcher searcher(fixture_->folder());

    Query any = fixture_->query(15);
    std::function<bool(const FileEntry&, const Moment&)> accept;
    const auto below = [](const FileEntry& file, const std::string& folder) {
        return file.facts.path.native().starts_with(folder + "/");
    };
    const auto when = [](const FileEntry& file) { return file.probe.taken_at.value_or(file.facts.mtime_ns / 1'000'000'000); };
    if (what == "images") {
        any.filter.kinds = {media::Kind::Image};
        accept = [](const FileEntry& file, const Moment&) { return file.probe.kind == media::Kind::Image; };
    } else if (what == "videos and sounds") {
        any.filter.kinds = {media::Kind::Video, media::Kind::Audio};
        accept = [](const FileEntry& file, const Moment&) { return file.probe.kind != media::Kind::Image; };
    } else if (what == "folder") {
        any.filter.folders = {"/m/in/", "/elsewhere"};
        accept = [&](const FileEntry& file, const Moment&) { return below(file, "/m/in"); };
    } else if (what == "folder of bytes") {
        any.filter.folders = {"/m/caf\xe9"};
        accept = [&](const FileEntry& file, const Moment&) { return below(file, "/m/caf\xe9"); };
    } else if (what == "after") {
        any.filter.after = 100'000;
        accept = [&](const FileEntry& file, const Moment&) { return when(file) >= 100'000; };
    } else if (what == "between") {
        any.filter.after = 10;
        any.filter.before = 55;
        accept = [&](const FileEntry& file, const Moment&) { return when(file) >= 10 && when(file) <= 55; };
    } else if (what == "picture") {
        any.filter.modalities = {Modality::Picture};
        accept = [](const FileEntry&, const Moment& moment) { return moment.modality == Modality::Picture; };
    } else if (what == "sound") {
        any.filter.modalities = {Modality::Sound};
        accept = [](const FileEntry&, const Moment& moment) { return moment.modality == Modality::Sound; };
    } else if (what == "sounds of videos in a folder") {
        any.filter = {{media::Kind::Video}, {Modality::Sound}, {"/m/in"}, {}, {}};
        accept = [&](const FileEntry& file, const Moment& moment) {
            return file.probe.kind == media::Kind::Video && moment.modality == Modality::Sound && below(file, "/m/in");
        };
    } else if (what == "lasting long") {
        any.filter.longer = 30;
        accept = [](const FileEntry& file, const Moment&) { return file.probe.duration >= 30; };
    } else if (what == "lasting a while") {
        any.filter.longer = 10;
        any.filter.shorter = 40;
        accept = [](const FileEntry& file, const Moment&) { return file.probe.duration >= 10 && file.probe.duration <= 40; };
    } else if (what == "a label") {
        any.filter.labels = {"even"};
        accept = [&](const FileEntry& file, const Moment&) { return number_of(file) % 2 == 0; };
    } else if (what == "two labels") {
        any.filter.labels = {"even", "third"};
        accept = [&](const FileEntry& file, const Moment&) { return number_of(file) % 6 == 0; };
    } else if (what == "a label and stars") {
        any.filter.labels = {"even"};
        any.filter.stars = 3;
        accept = [&](const FileEntry& file, const Moment&) { return number_of(file) % 2 == 0 && number_of(file) % 5 >= 2; };
    } else {
        any.filter.folders = {"/nowhere"};
        accept = [](const FileEntry&, const Moment&) { return false; };
    }
    const std::vector<FileHit> hits = searcher.search(any, kBackground);
    QVERIFY_SAME(hits, fixture_->reference.search(any, kBackground, {}, accept));
    if (what != "nothing matches")
        QCOMPARE(hits.size(), size_t(15));
    for (const FileHit& hit : hits)
        for (const MomentHit& moment : hit.moments)
            QVERIFY(accept(fixture_->reference.file(hit.path.native()), moment.moment));
}

void TestSearchFilters::by_date_the_same_files_come_in_another_order()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 600);
    Searcher searcher(fixture_->folder());
    Query any = fixture_->query(15);
    const std::vector<FileHit> relevant = searcher.search(any, kBackground);
    const auto when = [](const FileHit& hit) { return hit.probe.taken_at.value_or(hit.mtime); };
    for (const Order order : {Order::NewestFirst, Order::OldestFirst}) {
        any.order = order;
        const std::vector<FileHit> dated = searcher.search(any, kBackground);
        QCOMPARE(dated.size(), relevant.size());
        for (size_t i = 1; i < dated.size(); ++i)
            QVERIFY(order == Order::NewestFirst ? when(dated[i - 1]) >= when(dated[i]) : when(dated[i - 1]) <= when(dated[i]));
        for (const FileHit& hit : relevant)
            QVERIFY(std::any_of(dated.begin(), dated.end(), [&](const FileHit& other) {
                return other.path == hit.path && other.score == hit.score && other.wrong_share == hit.wrong_share;
            }));
    }
}

void TestSearchFilters::words_raise_what_meaning_would_not_show()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 900);
    fixture_->put(library, entry(fixture_->random, "/m/lighthouse.jpg"));
    fixture_->put(library, entry(fixture_->random, "/elsewhere/lighthouse.jpg"));
    Searcher searcher(fixture_->folder());
    Query any = fixture_->query(2000, false);
    any.filter.folders = {"/m"};
    const auto named = [](const std::vector<FileHit>& hits) {
        return std::count_if(hits.begin(), hits.end(),
                             [](const FileHit& hit) { return hit.path.native().ends_with("lighthouse.jpg"); });
    };
    QCOMPARE(named(searcher.search(any, kBackground)), 0);
    any.words = "a lighthouse";
    const std::vector<FileHit> hits = searcher.search(any, kBackground);
    QCOMPARE(named(hits), 1);  // the filter counts for words too
    const auto found = std::find_if(hits.begin(), hits.end(), [](const FileHit& hit) { return hit.coverage > 0; });
    QCOMPARE(found->path.native(), std::string("/m/lighthouse.jpg"));
    QCOMPARE(found->coverage, 1.0f);
    QCOMPARE(found->score, std::max(found->moments.front().score, 0.0f) + kWordWeight);
    for (const FileHit& hit : hits)  // what words do not touch is as it was
        QVERIFY(hit.coverage > 0 || hit.score == hit.moments.front().score);
}

void TestSearchFilters::nothing_comes_for_noise_but_what_words_find()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 900);
    fixture_->put(library, entry(fixture_->random, "/m/xkqzv.jpg"));
    Searcher searcher(fixture_->folder());
    Query any = fixture_->query(10, false);
    const Cut low{-1, -2};
    QCOMPARE(searcher.search(any, kBackground, low).size(), size_t(10));
    any.meaningless = true;
    QVERIFY(searcher.search(any, kBackground, low).empty());
    any.words = "xkqzv";
    const std::vector<FileHit> hits = searcher.search(any, kBackground, low);
    QCOMPARE(hits.size(), size_t(1));
    QCOMPARE(hits.front().path.native(), std::string("/m/xkqzv.jpg"));
    any.all = true;
    QCOMPARE(searcher.search(any, kBackground, low).size(), size_t(10));
}

QTEST_APPLESS_MAIN(TestSearchFilters)
#include "tst_search_filters.moc"
