// SPDX-License-Identifier: Apache-2.0
// The rows in memory: exact scans on any processor, an inverted file that finds what they find and outlives every change.
#include <QTemporaryDir>
#include <QtTest>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "index/coarse_builder.h"
#include "index/half.h"
#include "index/snapshot.h"
#include "index/vector_index.h"
#include "tests/index/library_fixture.h"
#include "tests/index/search_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

namespace {

constexpr auto kPicture = Modality::Picture;
const auto kGoOn = [] { return false; };

/// Files of three moments each, in clusters, as moments of a library are.
class Clusters {
public:
    explicit Clusters(int dim = kDim) : centres_(random_vectors(random_, 60, dim)) { }

    std::vector<float> row()
    {
        const std::span<const float> centre = centres_.row(static_cast<int>(random_() % 60));
        std::vector<float> row = random_vectors(random_, 1, centres_.dim).values;
        double squares = 0;
        for (size_t d = 0; d < row.size(); ++d) {
            row[d] = centre[d] + 0.7f * row[d];
            squares += static_cast<double>(row[d]) * row[d];
        }
        for (float& value : row)
            value = static_cast<float>(value / std::sqrt(squares));
        return row;
    }
    void put(VectorIndex& index, int64_t first, int64_t last)
    {
        for (int64_t file = first; file < last; ++file) {
            std::vector<uint16_t> half;
            std::vector<float> stats;
            for (int i = 0; i < 3; ++i) {
                for (const float value : row())
                    half.push_back(to_half(value));
                stats.insert(stats.end(),
                             {0.01f * static_cast<float>(random_() % 10), 0.1f + 0.002f * static_cast<float>(random_() % 10)});
            }
            index.put(file, kPicture, half, stats);
        }
    }
    std::vector<float> query()
    {
        std::vector<float> query = row();
        query.push_back(1);
        return query;
    }
    Vectors questions(int count)
    {
        Vectors questions{centres_.dim, {}};
        for (int i = 0; i < count; ++i)
            questions.append(row());
        return questions;
    }

private:
    std::mt19937 random_{17};
    Vectors centres_;
};

std::set<int64_t> files_of(const std::vector<VectorIndex::Found>& found)
{
    std::set<int64_t> files;
    for (const VectorIndex::Found& each : found)
        files.insert(each.file);
    return files;
}

double recall(const VectorIndex& index, Clusters& clusters, int queries = 100)
{
    double found = 0;
    for (int i = 0; i < queries; ++i) {
        const std::vector<float> query = clusters.query();
        const std::set<int64_t> wanted = files_of(index.search(kPicture, query, 10, {}, true));
        for (const int64_t file : files_of(index.search(kPicture, query, 10, {})))
            found += wanted.contains(file) ? 1 : 0;
    }
    return found / (10 * queries);
}

std::unique_ptr<Coarse> tuned(const VectorIndex& index, Clusters& clusters)
{
    auto coarse = Coarse::build(index.rows(kPicture), index.rows(kPicture).size(), kGoOn);
    coarse->tune(index.rows(kPicture), clusters.questions(32), kGoOn);
    return coarse;
}

}  // namespace

class TestVectorIndex : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void products_of_half_floats_are_right_data();
    void products_of_half_floats_are_right();
    void the_best_files_are_those_of_sorting_all_data();
    void the_best_files_are_those_of_sorting_all();
    void adding_moves_no_row();
    void an_inverted_file_finds_what_a_scan_finds();
    void an_inverted_file_follows_additions_and_removals();
    void a_question_for_much_is_answered_exactly();
    void a_filter_keeps_k_with_an_inverted_file();
    void a_snapshot_brings_the_inverted_file_back();
    void building_stops_when_told();
    void a_library_builds_its_own();
};

void TestVectorIndex::products_of_half_floats_are_right_data()
{
    QTest::addColumn<int>("dim");
    for (const int dim : {1, 8, 15, 16, 31, 32, 33, 384, 385})
        QTest::addRow("%d", dim) << dim;
}

void TestVectorIndex::products_of_half_floats_are_right()
{
    QFETCH(int, dim);
    std::mt19937 random(static_cast<unsigned>(dim));
    const Vectors vectors = random_vectors(random, 50, dim), query = random_vectors(random, 1, dim);
    const std::vector<uint16_t> halves = to_half(vectors.values);
    std::vector<float> products(50);
    dot_halves(query.row(0), halves.data(), 50, products.data());
    for (int i = 0; i < 50; ++i) {
        double product = 0;
        for (int d = 0; d < dim; ++d)
            product += static_cast<double>(query.values[static_cast<size_t>(d)])
                * static_cast<double>(from_half(halves[static_cast<size_t>(i * dim + d)]));
        QVERIFY(std::abs(products[static_cast<size_t>(i)] - product) < 1e-5);
    }
}

void TestVectorIndex::the_best_files_are_those_of_sorting_all_data()
{
    QTest::addColumn<int>("files");
    QTest::addColumn<int>("k");
    QTest::newRow("the best") << 500 << 1;
    QTest::newRow("ten") << 500 << 10;
    QTest::newRow("all") << 500 << 500;
    QTest::newRow("more than there are") << 500 << 5000;
    QTest::newRow("on several processors") << 20'000 << 25;
}

void TestVectorIndex::the_best_files_are_those_of_sorting_all()
{
    QFETCH(int, files);
    QFETCH(int, k);
    Clusters clusters(8);
    VectorIndex index(8);
    clusters.put(index, 0, files);
    for (int64_t file = 0; file < files; file += 7)
        index.remove(file);
    const std::vector<float> query = clusters.query();
    std::vector<std::pair<float, int64_t>> all;
    for (int64_t file = 0; file < files; ++file)
        if (const std::vector<float> scores = index.scores(file, kPicture, query); !scores.empty())
            all.emplace_back(*std::max_element(scores.begin(), scores.end()), file);
    std::sort(all.rbegin(), all.rend());
    all.resize(std::min(all.size(), static_cast<size_t>(k)));
    std::vector<VectorIndex::Found> found = index.search(kPicture, query, k, {});
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    QCOMPARE(found.size(), all.size());
    for (size_t i = 0; i < found.size(); ++i)
        QVERIFY(std::abs(found[i].score - all[i].first) < 1e-3);
    QCOMPARE(files_of(found).size(), found.size());
}

void TestVectorIndex::adding_moves_no_row()
{
    Clusters clusters;
    VectorIndex index(kDim);
    clusters.put(index, 0, 100);
    const HalfRows before = index.rows(kPicture);
    const uint16_t* first = before.half(0).data();
    clusters.put(index, 100, 100 + HalfRows::kBlock);
    QCOMPARE(before.size(), 300);
    QCOMPARE(index.rows(kPicture).half(0).data(), first);
    QVERIFY(index.bytes() < (2 * kDim + 60) * (index.size() + HalfRows::kBlock));
}

void TestVectorIndex::an_inverted_file_finds_what_a_scan_finds()
{
    Clusters clusters;
    VectorIndex index(kDim);
    clusters.put(index, 0, 8000);
    index.adopt(kPicture, tuned(index, clusters));
    const Coarse& coarse = *index.coarse(kPicture);
    QVERIFY(coarse.recall() >= Coarse::kAim);
    QVERIFY(coarse.probes() < coarse.lists() / 2);  // it spares something
    QVERIFY2(recall(index, clusters) >= 0.95, qPrintable(QString::number(recall(index, clusters))));
}

void TestVectorIndex::an_inverted_file_follows_additions_and_removals()
{
    Clusters clusters;
    VectorIndex index(kDim);
    clusters.put(index, 0, 4000);
    index.adopt(kPicture, tuned(index, clusters));
    clusters.put(index, 4000, 8000);
    QVERIFY(recall(index, clusters) >= 0.93);
    index.compact();
    QCOMPARE(index.coarse(kPicture)->size(), index.rows(kPicture).size());
    for (int64_t file = 0; file < 8000; file += 2)
        index.remove(file);
    QVERIFY(recall(index, clusters) >= 0.93);
    const int64_t edition = index.edition();
    index.compact();
    QVERIFY(index.edition() > edition);
    QCOMPARE(index.rows(kPicture).size(), 12'000);
    QCOMPARE(index.coarse(kPicture)->size(), 12'000);
    QVERIFY(recall(index, clusters) >= 0.93);
    for (int i = 0; i < 20; ++i)
        for (const int64_t file : files_of(index.search(kPicture, clusters.query(), 10, {})))
            QVERIFY(file % 2 == 1);
}

void TestVectorIndex::a_question_for_much_is_answered_exactly()
{
    Clusters clusters;
    VectorIndex index(kDim);
    clusters.put(index, 0, 6000);
    index.adopt(kPicture, tuned(index, clusters));
    const std::vector<float> query = clusters.query();
    for (const int64_t k : {1000, 6000, 9000})
        QCOMPARE(files_of(index.search(kPicture, query, k, {})), files_of(index.search(kPicture, query, k, {}, true)));
}

void TestVectorIndex::a_filter_keeps_k_with_an_inverted_file()
{
    Clusters clusters;
    VectorIndex index(kDim);
    clusters.put(index, 0, 6000);
    index.adopt(kPicture, tuned(index, clusters));
    for (const int64_t step : {1, 2, 3, 10, 500}) {
        std::vector<int64_t> files;
        for (int64_t file = 0; file < 6000; file += step)
            files.push_back(file);
        const VectorIndex::Selection selection = index.select(kPicture, files);
        QCOMPARE(selection.rows, static_cast<int64_t>(3 * files.size()));
        const std::vector<VectorIndex::Found> found = index.search(kPicture, clusters.query(), 10, selection);
        QCOMPARE(found.size(), size_t(10));
        for (const int64_t file : files_of(found))
            QCOMPARE(file % step, 0);
    }
}

void TestVectorIndex::a_snapshot_brings_the_inverted_file_back()
{
    QTemporaryDir folder;
    const std::filesystem::path file = folder.path().toStdString() + "/x/y.index";
    Clusters clusters;
    VectorIndex index(kDim);
    clusters.put(index, 0, 3000);
    index.adopt(kPicture, tuned(index, clusters));
    Provenance provenance{{1, 2, 3}, "space", kDim, 7, 9};
    QVERIFY(write_snapshot(file, index, provenance));
    Provenance held{{1, 2, 3}, "space", kDim, 0, 0};
    const std::unique_ptr<VectorIndex> read = read_snapshot(file, held);
    QVERIFY(read && read->coarse(kPicture));
    QCOMPARE(held.revision, 7);
    QCOMPARE(read->coarse(kPicture)->probes(), index.coarse(kPicture)->probes());
    QCOMPARE(read->coarse(kPicture)->recall(), index.coarse(kPicture)->recall());
    for (int i = 0; i < 10; ++i) {
        const std::vector<float> query = clusters.query();
        QCOMPARE(files_of(read->search(kPicture, query, 5, {})), files_of(index.search(kPicture, query, 5, {})));
        QVERIFY(read->scores(i, kPicture, query) == index.scores(i, kPicture, query));
    }
}

void TestVectorIndex::building_stops_when_told()
{
    Clusters clusters;
    VectorIndex index(kDim);
    clusters.put(index, 0, 3000);
    int asked = 0;
    QVERIFY(!Coarse::build(index.rows(kPicture), 9000, [&] { return ++asked == 3; }));
    const auto coarse = Coarse::build(index.rows(kPicture), 9000, kGoOn);
    QVERIFY(coarse);
    QVERIFY(!coarse->tune(index.rows(kPicture), clusters.questions(8), [] { return true; }));
    CoarseBuilder abandoned(index.rows(kPicture), kPicture, {0, 0}, {});
}

void TestVectorIndex::a_library_builds_its_own()
{
    SearchFixture fixture;
    Library library = fixture.writer();
    fixture.fill(library, 4000);
    constexpr int kMany = 400;  // of so few rows, so many are looked for exactly
    {
        Searcher searcher(fixture.folder(), {.snapshot_from = 1000, .coarse_from = 1000});
        QVERIFY(!searcher.state().approximate[0]);
        QCOMPARE(fixture.disagreement(searcher, kMany), std::string());  // answers while it is being built
        searcher.settle();
        QVERIFY(searcher.state().approximate[0] && searcher.state().approximate[1]);
        QVERIFY(searcher.state().recall[0] >= Coarse::kAim && searcher.state().recall[0] <= 1);
        QVERIFY(searcher.state().snapshots_written >= 1);
    }
    Searcher next(fixture.folder(), {.snapshot_from = 1000, .coarse_from = 1000, .build = false});
    next.refresh();
    QCOMPARE(next.state().snapshots_read, 1);
    QVERIFY(next.state().approximate[0] && next.state().approximate[1]);
    fixture.put(library, entry(fixture.random, "/m/new", media::Kind::Video, 9));
    QCOMPARE(fixture.disagreement(next, kMany), std::string());
    QCOMPARE(next.state().moments, library.counts().moments);
}

QTEST_APPLESS_MAIN(TestVectorIndex)
#include "tst_vector_index.moc"
