// SPDX-License-Identifier: Apache-2.0
// Retrieval figures on tables small enough to check by hand, and chance against a simulated shuffle.
#include <QtTest>

#include <algorithm>
#include <numeric>
#include <random>

#include "training/evaluation/metrics.h"

using namespace imprint::evaluation;

class TestMetrics : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void the_best_relevant_item_decides_the_place();
    void recall_follows_from_the_place_data();
    void recall_follows_from_the_place();
    void a_literal_table_gives_its_recalls();
    void chance_is_what_a_shuffle_gives_data();
    void chance_is_what_a_shuffle_gives();
    void a_subset_keeps_its_queries();
    void the_median_is_in_the_middle();
    void the_bootstrap_repeats_and_covers();
    void a_paired_difference_of_equals_is_nothing();
    void file_names_are_words_data();
    void file_names_are_words();
    void file_name_search_counts_words();
};

void TestMetrics::the_best_relevant_item_decides_the_place()
{
    const std::vector<float> scores = {.1f, .9f, .5f, .5f, .5f, .2f};
    const std::vector<int> relevant = {0, 2, 4};
    const Place place = place_of_best(scores, relevant);
    QCOMPARE(place.better, 1);
    QCOMPARE(place.tied, 3);
    QCOMPARE(place.tied_relevant, 2);
}

void TestMetrics::recall_follows_from_the_place_data()
{
    QTest::addColumn<int>("better");
    QTest::addColumn<int>("tied");
    QTest::addColumn<int>("relevant");
    QTest::addColumn<int>("k");
    QTest::addColumn<double>("hit");
    QTest::addColumn<double>("rank");
    QTest::newRow("first") << 0 << 1 << 1 << 1 << 1.0 << 1.0;
    QTest::newRow("second, one looked at") << 1 << 1 << 1 << 1 << 0.0 << 2.0;
    QTest::newRow("second, five looked at") << 1 << 1 << 1 << 5 << 1.0 << 2.0;
    QTest::newRow("one of four tied") << 0 << 4 << 1 << 1 << 0.25 << 2.5;
    QTest::newRow("two of four tied, two looked at") << 0 << 4 << 2 << 2 << 5.0 / 6 << 5.0 / 3;
    QTest::newRow("tied behind one") << 1 << 2 << 1 << 2 << 0.5 << 2.5;
    QTest::newRow("all tied are relevant") << 0 << 3 << 3 << 1 << 1.0 << 1.0;
    QTest::newRow("more looked at than there are") << 0 << 3 << 1 << 10 << 1.0 << 2.0;
    QTest::newRow("a thousand items, one answer") << 0 << 1000 << 1 << 10 << 0.01 << 500.5;
}

void TestMetrics::recall_follows_from_the_place()
{
    QFETCH(int, better);
    QFETCH(int, tied);
    QFETCH(int, relevant);
    QFETCH(int, k);
    QFETCH(double, hit);
    QFETCH(double, rank);
    QVERIFY(std::abs(hit_probability({better, tied, relevant}, k) - hit) < 1e-12);
    QVERIFY(std::abs(expected_rank({better, tied, relevant}) - rank) < 1e-12);
}

void TestMetrics::a_literal_table_gives_its_recalls()
{
    Scores scores(3, 4);
    scores.values = {.9f, .1f, .2f, .3f, // item 0 is right and first
        .9f, .8f, .1f, .2f, // items 1 and 2 are right: second
        .4f, .3f, .2f, .1f}; // item 3 is right: last
    const Outcome outcome = rank_all(scores, {{0}, {1, 2}, {3}});
    QVERIFY(std::abs(mean(outcome.hit1) - 1.0 / 3) < 1e-12);
    QCOMPARE(mean(outcome.hit5), 1.0);
    QCOMPARE(outcome.rank, (std::vector<double>{1, 2, 4}));
    QCOMPARE(median(outcome.rank), 2.0);
}

void TestMetrics::chance_is_what_a_shuffle_gives_data()
{
    QTest::addColumn<int>("items");
    QTest::addColumn<int>("relevant");
    QTest::newRow("one in sixty") << 60 << 1;
    QTest::newRow("six in 215") << 215 << 6;
    QTest::newRow("half") << 20 << 10;
}

void TestMetrics::chance_is_what_a_shuffle_gives()
{
    QFETCH(int, items);
    QFETCH(int, relevant);
    const Outcome chance = rank_by_chance(items, {std::vector<int>(static_cast<size_t>(relevant), 0)});
    std::mt19937 generator(7);
    std::vector<int> order(static_cast<size_t>(items));
    std::iota(order.begin(), order.end(), 0);
    constexpr int rounds = 40000;
    double hits = 0, ranks = 0;
    for (int round = 0; round < rounds; ++round) {
        std::shuffle(order.begin(), order.end(), generator);
        const auto first
            = std::find_if(order.begin(), order.end(), [&](int item) { return item < relevant; }) - order.begin();
        hits += first < 10;
        ranks += static_cast<double>(first) + 1;
    }
    QVERIFY(std::abs(chance.hit10[0] - hits / rounds) < 0.01);
    QVERIFY(std::abs(chance.rank[0] / (ranks / rounds) - 1) < 0.02);
}

void TestMetrics::a_subset_keeps_its_queries()
{
    Outcome outcome;
    outcome.add({0, 1, 1});
    outcome.add({7, 1, 1});
    outcome.add({2, 1, 1});
    const std::vector<int> chosen = {2, 0};
    QCOMPARE(outcome.subset(chosen).rank, (std::vector<double>{3, 1}));
    QCOMPARE(outcome.subset(chosen).hit5, (std::vector<double>{1, 1}));
}

void TestMetrics::the_median_is_in_the_middle()
{
    QCOMPARE(median(std::vector<double>{9, 1, 4}), 4.0);
    QCOMPARE(median(std::vector<double>{9, 1, 4, 2}), 3.0);
    QCOMPARE(median(std::vector<double>{}), 0.0);
}

void TestMetrics::the_bootstrap_repeats_and_covers()
{
    std::vector<double> values(100, 0);
    std::fill_n(values.begin(), 40, 1.0);
    const Interval first = bootstrap(values, 2000, 5), again = bootstrap(values, 2000, 5),
                   other = bootstrap(values, 2000, 6);
    QCOMPARE(first.low, again.low);
    QCOMPARE(first.high, again.high);
    QVERIFY(first.low != other.low || first.high != other.high);
    // A share of 0.4 of 100 has a standard error of 0.049: the interval is about 0.4 ± 0.096.
    QVERIFY(std::abs(first.low - 0.304) < 0.02);
    QVERIFY(std::abs(first.high - 0.496) < 0.02);
}

void TestMetrics::a_paired_difference_of_equals_is_nothing()
{
    const std::vector<double> difference(50, 0.0);
    const Interval interval = bootstrap(difference, 500, 1);
    QCOMPARE(interval.low, 0.0);
    QCOMPARE(interval.high, 0.0);
}

void TestMetrics::file_names_are_words_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("words");
    QTest::newRow("numbered") << "a/fishes/fish10.webp"
                              << "fish";
    QTest::newRow("several words") << "Polar_bear-cub 2.JPG"
                                   << "polar bear cub";
    QTest::newRow("no extension") << "folder.d/owl"
                                  << "owl";
    QTest::newRow("only a number") << "0001.png"
                                   << "";
    QTest::newRow("not ASCII") << "caf\u00e9.png"
                               << "caf\u00e9";
}

void TestMetrics::file_names_are_words()
{
    QFETCH(QString, name);
    QFETCH(QString, words);
    QStringList found;
    for (const std::string& word : words_of(name.toStdString(), true))
        found << QString::fromStdString(word);
    QCOMPARE(found.join(' '), words);
}

void TestMetrics::file_name_search_counts_words()
{
    const auto query = words_of("a polar bear");
    QCOMPARE(matching_words(query, words_of("polar_bear3.jpg", true)), 2.0f);
    QCOMPARE(matching_words(query, words_of("bear.jpg", true)), 1.0f);
    QCOMPARE(matching_words(query, words_of("owl.jpg", true)), 0.0f);
}

QTEST_APPLESS_MAIN(TestMetrics)
#include "tst_metrics.moc"
