// SPDX-License-Identifier: Apache-2.0
// Search: exact scores, filters that keep k, one scale, and a cache that is never behind.
#include <QTemporaryDir>
#include <QtTest>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include <sys/stat.h>

#include "core/base/error.h"
#include "index/half.h"
#include "index/search.h"
#include "tests/index/library_fixture.h"

namespace fs = std::filesystem;
using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

namespace {

/// What the library should answer, computed in double precision without any index.
class Reference {
public:
    void put(const FileEntry& entry) { files_[entry.facts.path.native()] = entry; }
    void drop(const fs::path& path) { files_.erase(path.native()); }

    /// Calibrated scores of all moments of a file, in their order.
    static std::vector<double> scores(const FileEntry& entry, std::span<const float> query, const QueryBackground& background)
    {
        std::vector<double> scores;
        for (int i = 0; i < entry.vectors.count(); ++i) {
            std::vector<double> vector;
            for (const float value : entry.vectors.row(i))
                vector.push_back(from_half(to_half(value)));
            double mean = 0, squares = 0, product = 0;
            std::vector<double> cosines;
            for (int b = 0; b < bank().count(); ++b) {
                double cosine = 0;
                for (size_t d = 0; d < vector.size(); ++d)
                    cosine += vector[d] * bank().row(b)[d];
                cosines.push_back(cosine);
                mean += cosine / bank().count();
            }
            for (const double cosine : cosines)
                squares += (cosine - mean) * (cosine - mean) / bank().count();
            for (size_t d = 0; d < vector.size(); ++d)
                product += vector[d] * query[d];
            const int m = static_cast<int>(entry.moments[static_cast<size_t>(i)].modality);
            scores.push_back(((product - mean) / std::sqrt(squares) - background.mean[m]) / background.deviation[m]);
        }
        return scores;
    }

    struct Hit {
        std::string path;
        double score;
    };
    template <typename Accept>
    std::vector<Hit> search(const Query& query, const QueryBackground& background, const Cut& cut, Accept&& accept) const
    {
        std::vector<Hit> hits;
        for (const auto& [path, entry] : files_) {
            double best = -1e30;
            const std::vector<double> all = scores(entry, query.vector, background);
            for (size_t i = 0; i < all.size(); ++i)
                if (accept(entry, entry.moments[i]))
                    best = std::max(best, all[i]);
            if (best > -1e29 && (query.all || best >= cut.maybe))
                hits.push_back({path, best});
        }
        std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
        if (hits.size() > static_cast<size_t>(query.k))
            hits.resize(static_cast<size_t>(query.k));
        return hits;
    }
    const FileEntry& file(const std::string& path) const { return files_.at(path); }

private:
    std::map<std::string, FileEntry> files_;
};

bool anything(const FileEntry&, const Moment&)
{
    return true;
}

std::string differs(const std::vector<FileHit>& hits, const std::vector<Reference::Hit>& wanted)
{
    if (hits.size() != wanted.size())
        return std::to_string(hits.size()) + " hits instead of " + std::to_string(wanted.size());
    for (size_t i = 0; i < hits.size(); ++i) {
        if (hits[i].path.native() != wanted[i].path)
            return "hit " + std::to_string(i) + " is " + hits[i].path.native() + " instead of " + wanted[i].path;
        if (std::abs(hits[i].score - wanted[i].score) > 1e-4)
            return "hit " + std::to_string(i) + " scores " + std::to_string(hits[i].score) + " instead of "
                   + std::to_string(wanted[i].score);
    }
    return {};
}

#define QVERIFY_SAME(hits, wanted)                             \
    do {                                                       \
        const std::string difference = differs(hits, wanted);  \
        QVERIFY2(difference.empty(), difference.c_str());      \
    } while (false)

constexpr QueryBackground kBackground{{0.2f, -0.3f}, {1.1f, 0.8f}};

}  // namespace

class TestSearch : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { temporary_ = std::make_unique<QTemporaryDir>(); }

    void scores_equal_a_reference_in_double_precision();
    void a_filter_keeps_k_data();
    void a_filter_keeps_k();
    void k_counts_files_even_where_one_file_has_all_the_best_moments();
    void modalities_meet_on_one_scale();
    void a_vector_that_matches_everything_does_not_come_first();
    void bands_begin_where_the_cut_says();
    void below_the_cut_nothing_comes_unless_all_is_asked_for();
    void a_hit_carries_its_relevant_moments_best_first();
    void relevance_is_in_time_order();
    void follows_every_change_of_the_catalog();
    void follows_more_changes_than_one_transaction_takes();
    void a_new_active_space_is_searched_at_once();
    void another_library_in_the_same_folder_is_noticed();
    void reads_a_snapshot_and_catches_up();
    void a_wrong_snapshot_is_not_used_data();
    void a_wrong_snapshot_is_not_used();
    void a_restored_backup_is_not_answered_from_the_lost_history();
    void names_of_spaces_stay_inside_the_folder();
    void an_empty_library_answers_nothing();
    void a_missing_library_is_not_found();
    void refuses_a_query_that_makes_no_sense();
    void the_background_of_a_query_is_its_mean_and_deviation();

private:
    fs::path folder() const { return temporary_->path().toStdString() + "/library"; }
    Library writer() const
    {
        Library library(folder(), OpenMode::ReadWrite);
        library.use_space(kSpace, kDim);
        return library;
    }
    void put(Library& library, FileEntry entry)
    {
        library.put(entry, kSpace, bank());
        reference_.put(entry);
    }
    /// About `moments` moments in images, videos and sounds.
    void fill(Library& library, int moments, const std::string& prefix = "/m/")
    {
        static constexpr media::Kind kKinds[] = {media::Kind::Image, media::Kind::Video, media::Kind::Audio};
        for (int i = 0, made = 0; made < moments; ++i) {
            FileEntry file = entry(random_, prefix + std::to_string(i), kKinds[i % 3], 1 + i % 11);
            file.facts.mtime_ns = 1'000'000'000LL * i;
            if (i % 4 == 0)
                file.probe.taken_at = 100'000 + i;
            made += file.vectors.count();
            put(library, file);
        }
    }
    Query query(int k = 10, bool all = true)
    {
        const Vectors vector = random_vectors(random_, 1);
        return {.vector = vector.values, .filter = {}, .k = k, .all = all};
    }
    /// The vector that is `cosine` near to the query, the rest in a random direction.
    std::vector<float> near(const Query& query, double cosine)
    {
        const Vectors noise = random_vectors(random_, 1);
        double along = 0, squares = 0;
        for (int d = 0; d < kDim; ++d)
            along += noise.values[d] * query.vector[d];
        std::vector<double> across(kDim);
        for (int d = 0; d < kDim; ++d) {
            across[d] = noise.values[d] - along * query.vector[d];
            squares += across[d] * across[d];
        }
        std::vector<float> vector(kDim);
        for (int d = 0; d < kDim; ++d)
            vector[d] = static_cast<float>(cosine * query.vector[d] + std::sqrt((1 - cosine * cosine) / squares) * across[d]);
        return vector;
    }
    void compare(Searcher& searcher)
    {
        for (int i = 0; i < 3; ++i) {
            const Query any = query(20);
            QVERIFY_SAME(searcher.search(any, kBackground), reference_.search(any, kBackground, {}, anything));
        }
    }

    std::unique_ptr<QTemporaryDir> temporary_;
    std::mt19937 random_{11};
    Reference reference_;

private Q_SLOTS:
    void cleanup() { reference_ = {}; }
};

void TestSearch::scores_equal_a_reference_in_double_precision()
{
    Library library = writer();
    fill(library, 5000);
    Searcher searcher(folder());
    for (const int k : {1, 10, 200, 5000}) {
        for (int i = 0; i < 5; ++i) {
            const Query any = query(k);
            QVERIFY_SAME(searcher.search(any, kBackground), reference_.search(any, kBackground, {}, anything));
        }
    }
    QCOMPARE(searcher.state().rebuilds, 1);
}

void TestSearch::a_filter_keeps_k_data()
{
    QTest::addColumn<QString>("what");
    for (const char* what : {"images", "videos and sounds", "folder", "folder of bytes", "after", "between", "picture",
                             "sound", "sounds of videos in a folder", "nothing matches"})
        QTest::newRow(what) << what;
}

void TestSearch::a_filter_keeps_k()
{
    QFETCH(QString, what);
    Library library = writer();
    fill(library, 600, "/m/");
    fill(library, 300, "/m/in/");
    fill(library, 300, "/m/in-between/");
    fill(library, 200, "/m/caf\xe9/");
    Searcher searcher(folder());

    Query any = query(15);
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
    } else {
        any.filter.folders = {"/nowhere"};
        accept = [](const FileEntry&, const Moment&) { return false; };
    }
    const std::vector<FileHit> hits = searcher.search(any, kBackground);
    QVERIFY_SAME(hits, reference_.search(any, kBackground, {}, accept));
    if (what != "nothing matches")
        QCOMPARE(hits.size(), size_t(15));
    for (const FileHit& hit : hits)
        for (const MomentHit& moment : hit.moments)
            QVERIFY(accept(reference_.file(hit.path.native()), moment.moment));
}

void TestSearch::k_counts_files_even_where_one_file_has_all_the_best_moments()
{
    Library library = writer();
    const Query any = query(5);
    FileEntry film = entry(random_, "/m/film", media::Kind::Audio, 2000);
    for (int i = 0; i < 2000; ++i) {
        const std::vector<float> good = near(any, 0.9);
        std::copy(good.begin(), good.end(), film.vectors.values.begin() + i * kDim);
    }
    put(library, film);
    fill(library, 100);
    Searcher searcher(folder());
    const std::vector<FileHit> hits = searcher.search(any, kBackground);
    QVERIFY_SAME(hits, reference_.search(any, kBackground, {}, anything));
    QCOMPARE(hits.size(), size_t(5));
    QCOMPARE(hits[0].path.native(), std::string("/m/film"));
    QCOMPARE(hits[0].moments.size(), size_t(2000));
}

void TestSearch::modalities_meet_on_one_scale()
{
    Library library = writer();
    const Query any = query(10);
    const auto with = [&](const char* path, media::Kind kind, double cosine) {
        FileEntry file = entry(random_, path, kind);
        file.vectors.values = near(any, cosine);
        put(library, file);
    };
    with("/m/picture", media::Kind::Image, 0.6);
    with("/m/sound", media::Kind::Audio, 0.4);
    Searcher searcher(folder());
    // By its cosine the picture wins; but among sounds a cosine like this one is far rarer.
    const QueryBackground rare_sounds{{2.0f, -1.0f}, {1.5f, 0.5f}};
    QCOMPARE(searcher.search(any, {})[0].path.native(), std::string("/m/picture"));
    const std::vector<FileHit> hits = searcher.search(any, rare_sounds);
    QCOMPARE(hits[0].path.native(), std::string("/m/sound"));
    QVERIFY_SAME(hits, reference_.search(any, rare_sounds, {}, anything));
}

void TestSearch::a_vector_that_matches_everything_does_not_come_first()
{
    // The hub stands in the midst of all texts: its cosine to any of them is high, and says nothing.
    Vectors texts;
    texts.dim = kDim;
    const Query centre = query(1);
    for (int i = 0; i < 64; ++i)
        texts.append(near(centre, 0.4 + 0.5 * i / 63));
    Query any{.vector = near(centre, 0.7), .filter = {}, .k = 2, .all = true};
    FileEntry hub = entry(random_, "/m/hub"), right = entry(random_, "/m/right");
    hub.vectors.values = near(centre, 0.999);
    right.vectors.values = near(any, 0.55);
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
    Library library = writer();
    library.put(hub, kSpace, texts);
    library.put(right, kSpace, texts);
    Searcher searcher(folder());
    QCOMPARE(searcher.search(any, {})[0].path.native(), std::string("/m/right"));
}

void TestSearch::bands_begin_where_the_cut_says()
{
    Library library = writer();
    fill(library, 200);
    Searcher searcher(folder());
    const Query any = query(1000);
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
    Library library = writer();
    fill(library, 3000);
    Searcher searcher(folder());
    Query any = query(100'000, false);
    const Cut cut{3.0f, 2.0f};
    const std::vector<FileHit> hits = searcher.search(any, kBackground, cut);
    QVERIFY(!hits.empty() && hits.size() < 200);
    QVERIFY_SAME(hits, reference_.search(any, kBackground, cut, anything));
    QVERIFY(searcher.search(any, kBackground, {100, 99}).empty());
    any.all = true;
    QCOMPARE(searcher.search(any, kBackground, {100, 99}).size(), static_cast<size_t>(library.counts().files));
}

void TestSearch::a_hit_carries_its_relevant_moments_best_first()
{
    Library library = writer();
    fill(library, 1000);
    Searcher searcher(folder());
    const Query any = query(1000);
    const Cut cut{1.5f, 0.5f};
    for (const FileHit& hit : searcher.search(any, kBackground, cut)) {
        const FileEntry& file = reference_.file(hit.path.native());
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
    Library library = writer();
    fill(library, 50);
    const FileEntry film = entry(random_, "/m/film", media::Kind::Video, 30);
    put(library, film);
    Searcher searcher(folder());
    Query any = query();
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

void TestSearch::follows_every_change_of_the_catalog()
{
    QTemporaryDir media;
    const std::string root = media.path().toStdString() + "/";
    std::ofstream(root + "something") << "not an empty mount point";
    Library library = writer();
    fill(library, 1500, root);
    Searcher searcher(folder());
    compare(searcher);

    put(library, entry(random_, root + "new", media::Kind::Video, 9));
    compare(searcher);
    FileEntry changed = entry(random_, root + "1", media::Kind::Audio, 3);
    changed.facts.size = 4;
    put(library, changed);
    compare(searcher);
    library.put_failure(facts(root + "2"), {root + "2", "malformed", "cut off", 1});
    reference_.drop(root + "2");
    compare(searcher);
    library.put_failure(facts(root + "4"), {root + "4", "malformed", "cut off", 1});
    reference_.drop(root + "4");
    library.forget_failures();
    compare(searcher);
    std::vector<fs::path> seen;
    for (const FileRow& row : library.files(0, 100'000))
        if (row.id % 3 != 0)
            seen.push_back(row.facts.path);
        else
            reference_.drop(row.facts.path);
    QVERIFY(library.drop_vanished(root, seen) > 50);
    compare(searcher);
    put(library, entry(random_, root + "3", media::Kind::Video, 2));
    compare(searcher);
    QCOMPARE(searcher.state().rebuilds, 1);
    QCOMPARE(searcher.state().moments, library.counts().moments);

    Searcher fresh(folder());
    compare(fresh);
    QCOMPARE(fresh.state().moments, searcher.state().moments);
}

void TestSearch::follows_more_changes_than_one_transaction_takes()
{
    Library library = writer();
    fill(library, 10);
    Searcher searcher(folder());
    compare(searcher);
    fill(library, 12'000, "/n/");
    QVERIFY(library.counts().files > 1500);
    compare(searcher);
    QCOMPARE(searcher.state().rebuilds, 1);
}

void TestSearch::a_new_active_space_is_searched_at_once()
{
    Library library = writer();
    fill(library, 100);
    Searcher searcher(folder());
    compare(searcher);
    Vectors small_bank = random_vectors(random_, 64, 8);
    FileEntry other = entry(random_, "/m/0");
    other.facts = reference_.file("/m/0").facts;  // the same file, read by another model
    other.vectors = random_vectors(random_, 1, 8);
    library.put(other, "another/8", small_bank);
    library.use_space("another/8", 8);
    const Query any{.vector = random_vectors(random_, 1, 8).values, .filter = {}, .k = 10, .all = true};
    const std::vector<FileHit> hits = searcher.search(any, kBackground);
    QCOMPARE(hits.size(), size_t(1));
    QCOMPARE(hits[0].path.native(), std::string("/m/0"));
    library.use_space(kSpace, kDim);
    compare(searcher);
}

void TestSearch::another_library_in_the_same_folder_is_noticed()
{
    {
        Library library = writer();
        fill(library, 100);
    }
    Searcher searcher(folder());
    compare(searcher);
    fs::rename(folder(), folder().native() + "-old");
    reference_ = {};
    Library library = writer();
    fill(library, 100, "/other/");
    compare(searcher);
}

void TestSearch::reads_a_snapshot_and_catches_up()
{
    {
        Library library = writer();
        fill(library, 2000);
    }
    {
        Searcher first(folder(), {.snapshot_from = 1000});
        compare(first);
        QCOMPARE(first.state().snapshots_written, 1);
    }
    {
        Searcher below(folder(), {.snapshot_from = 1'000'000});
        compare(below);
        QCOMPARE(below.state().snapshots_written, 0);
    }
    Library library = writer();
    put(library, entry(random_, "/m/new", media::Kind::Video, 9));
    FileEntry changed = entry(random_, "/m/1", media::Kind::Audio, 3);
    changed.facts.size = 4;
    put(library, changed);
    library.put_failure(facts("/m/2"), {"/m/2", "malformed", "cut off", 1});
    reference_.drop("/m/2");
    Searcher second(folder(), {.snapshot_from = 1000});
    compare(second);
    QCOMPARE(second.state().snapshots_read, 1);
    QCOMPARE(second.state().rebuilds, 0);
    QCOMPARE(second.state().snapshots_written, 0);  // a few changes are not worth another one
    QCOMPARE(second.state().moments, library.counts().moments);
}

void TestSearch::a_wrong_snapshot_is_not_used_data()
{
    QTest::addColumn<QString>("what");
    for (const char* what : {"empty", "header only", "cut off by one byte", "one byte more", "a flipped bit in the header",
                             "a flipped bit in the numbers", "a flipped bit in the vectors", "text", "another library",
                             "another space", "a folder"})
        QTest::newRow(what) << what;
}

void TestSearch::a_wrong_snapshot_is_not_used()
{
    QFETCH(QString, what);
    Library library = writer();
    fill(library, 300);
    Searcher(folder(), {.snapshot_from = 1}).refresh();
    const fs::path file = *fs::directory_iterator(folder() / "faiss");
    const auto size = fs::file_size(file);
    const auto flip = [&](int64_t at) {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekg(at);
        const char byte = static_cast<char>(stream.get() ^ 0x10);
        stream.seekp(at);
        stream.put(byte);
    };
    if (what == "empty")
        fs::resize_file(file, 0);
    else if (what == "header only")
        fs::resize_file(file, 120);
    else if (what == "cut off by one byte")
        fs::resize_file(file, size - 1);
    else if (what == "one byte more")
        fs::resize_file(file, size + 1);
    else if (what == "a flipped bit in the header")
        flip(50);
    else if (what == "a flipped bit in the numbers")
        flip(170);
    else if (what == "a flipped bit in the vectors")
        flip(static_cast<int64_t>(size) - 1000);
    else if (what == "text")
        std::ofstream(file, std::ios::trunc) << std::string(size, 'x');
    else if (what == "a folder") {
        fs::remove(file);
        fs::create_directory(file);
    } else if (what == "another library") {
        fs::copy_file(file, temporary_->path().toStdString() + "/kept");
        fs::rename(folder(), folder().native() + "-old");
        library = Library(folder(), OpenMode::ReadWrite);
        library.use_space(kSpace, kDim);
        reference_ = {};
        fill(library, 300);
        fs::create_directories(file.parent_path());
        fs::copy_file(temporary_->path().toStdString() + "/kept", file);
    } else if (what == "another space") {
        const fs::path kept = temporary_->path().toStdString() + "/kept";
        fs::copy_file(file, kept);
        library.use_space("a space of the same size", kDim);
        reference_ = {};
        for (int i = 0; i < 300; ++i) {
            const FileEntry other = entry(random_, "/m/" + std::to_string(i));
            library.put(other, "a space of the same size", bank());
            reference_.put(other);
        }
        Searcher(folder(), {.snapshot_from = 1}).refresh();
        for (const fs::path& each : fs::directory_iterator(folder() / "faiss"))
            if (each != file)
                fs::copy_file(kept, each, fs::copy_options::overwrite_existing);
    }
    Searcher searcher(folder(), {.snapshot_from = 1});
    compare(searcher);
    QCOMPARE(searcher.state().snapshots_read, 0);
    QCOMPARE(searcher.state().rebuilds, 1);
    if (what == "a folder")
        return;
    QCOMPARE(searcher.state().snapshots_written, 1);  // the next one finds a good one
    Searcher next(folder(), {.snapshot_from = 1});
    compare(next);
    QCOMPARE(next.state().snapshots_read, 1);
}

void TestSearch::a_restored_backup_is_not_answered_from_the_lost_history()
{
    const fs::path catalog = folder() / "catalog.sqlite", backup = temporary_->path().toStdString() + "/backup";
    {
        Library library = writer();
        fill(library, 200);
    }
    fs::copy_file(catalog, backup);
    {
        Library library = writer();
        library.put(entry(random_, "/lost/1"), kSpace, bank());
        library.put(entry(random_, "/lost/2"), kSpace, bank());
        Searcher(folder(), {.snapshot_from = 1}).refresh();
    }
    fs::copy_file(backup, catalog, fs::copy_options::overwrite_existing);
    Searcher behind(folder(), {.snapshot_from = 100'000});
    compare(behind);
    // The same revision numbers again, for other files.
    Library library = writer();
    for (const char* path : {"/found/1", "/found/2", "/found/3"})
        put(library, entry(random_, path));
    Searcher searcher(folder(), {.snapshot_from = 100'000});
    compare(searcher);
    QCOMPARE(searcher.state().snapshots_read, 0);
}

void TestSearch::names_of_spaces_stay_inside_the_folder()
{
    Library library(folder(), OpenMode::ReadWrite);
    for (const std::string& space : {std::string("../../evil"), std::string("a/b"), std::string("a_b"), std::string("."),
                                    std::string(5000, 'n'), std::string("caf\xc3\xa9 \n")}) {
        library.use_space(space, kDim);
        library.put(entry(random_, "/m/a"), space, bank());
        Searcher searcher(folder(), {.snapshot_from = 1});
        searcher.refresh();
        QCOMPARE(searcher.state().snapshots_written, 1);
    }
    const auto files = std::distance(fs::directory_iterator(folder() / "faiss"), fs::directory_iterator());
    QCOMPARE(files, 6);
}

void TestSearch::an_empty_library_answers_nothing()
{
    {
        Library library(folder(), OpenMode::ReadWrite);
    }
    Searcher searcher(folder());
    QVERIFY(searcher.search(query(), kBackground).empty());
    Library library = writer();
    QVERIFY(searcher.search(query(), kBackground).empty());
    fill(library, 10);
    QVERIFY(!searcher.search(query(), kBackground).empty());
}

void TestSearch::a_missing_library_is_not_found()
{
    try {
        Searcher searcher(folder());
        QFAIL("no error was thrown");
    } catch (const Error& error) {
        QVERIFY(error.kind() == ErrorKind::NotFound);
    }
}

void TestSearch::refuses_a_query_that_makes_no_sense()
{
    Library library = writer();
    fill(library, 10);
    Searcher searcher(folder());
    Query none = query(0), small = query();
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
    const Vectors pictures = random_vectors(random_, 300), sounds = random_vectors(random_, 1);
    const Query any = query();
    const QueryBackground background = QueryBackground::of(any.vector, bank(), pictures, sounds);
    FileEntry all = entry(random_, "/m/a", media::Kind::Audio, 300);
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
    QCOMPARE(background.mean[1], 0.0f);  // one moment is no background
    QCOMPARE(background.deviation[1], 1.0f);
}

QTEST_APPLESS_MAIN(TestSearch)
#include "tst_search.moc"
