// SPDX-License-Identifier: Apache-2.0
// Judged answers move a query towards the one and away from the other, however many they are.
#include <QtTest>

#include <cmath>
#include <numeric>
#include <random>

#include "core/base/error.h"
#include "index/feedback.h"
#include "tests/index/library_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

namespace {

double dot(std::span<const float> a, std::span<const float> b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

}  // namespace

class TestFeedback : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_query_moves_towards_the_liked_and_from_the_disliked_data();
    void a_query_moves_towards_the_liked_and_from_the_disliked();
    void one_judgement_weighs_as_much_as_many_equal_ones();
    void examples_alone_are_a_query();
    void what_cancels_out_is_refused();
};

void TestFeedback::a_query_moves_towards_the_liked_and_from_the_disliked_data()
{
    QTest::addColumn<int>("more");
    QTest::addColumn<int>("less");
    for (const int more : {0, 1, 5})
        for (const int less : {0, 1, 50})
            QTest::addRow("%d liked, %d not", more, less) << more << less;
}

void TestFeedback::a_query_moves_towards_the_liked_and_from_the_disliked()
{
    QFETCH(int, more);
    QFETCH(int, less);
    std::mt19937 random(23);
    const Vectors query = random_vectors(random, 1, 384), liked = random_vectors(random, more, 384),
                  disliked = random_vectors(random, less, 384);
    const std::vector<float> moved = refined(query.row(0), liked, disliked);
    QVERIFY(std::abs(dot(moved, moved) - 1) < 1e-5);
    for (int i = 0; i < more; ++i)
        QVERIFY(dot(moved, liked.row(i)) > dot(query.row(0), liked.row(i)));
    const std::vector<float> liked_only = refined(query.row(0), liked, {384, {}});
    double before = 0, after = 0;
    for (int i = 0; i < less; ++i) {
        before += dot(liked_only, disliked.row(i));
        after += dot(moved, disliked.row(i));
    }
    QVERIFY(less == 0 || after < before);
    QVERIFY(dot(moved, query.row(0)) > 0.3);  // what was asked is not forgotten
}

void TestFeedback::one_judgement_weighs_as_much_as_many_equal_ones()
{
    std::mt19937 random(29);
    const Vectors query = random_vectors(random, 1), one = random_vectors(random, 1), other = random_vectors(random, 1);
    Vectors many{kDim, {}};
    for (int i = 0; i < 20; ++i)
        many.append(one.row(0));
    QVERIFY(dot(refined(query.row(0), one, other), refined(query.row(0), many, other)) > 0.99999);
    QVERIFY(dot(refined(query.row(0), other, one), refined(query.row(0), other, many)) > 0.99999);
}

void TestFeedback::examples_alone_are_a_query()
{
    std::mt19937 random(31);
    const Vectors liked = random_vectors(random, 1);
    QVERIFY(dot(refined({}, liked, {kDim, {}}), liked.row(0)) > 0.99999);
}

void TestFeedback::what_cancels_out_is_refused()
{
    std::mt19937 random(37);
    const Vectors liked = random_vectors(random, 1);
    Vectors twice = liked;
    for (float& value : twice.values)
        value *= 2;
    QVERIFY_THROWS_EXCEPTION(Error, refined({}, liked, twice));
}

QTEST_APPLESS_MAIN(TestFeedback)
#include "tst_feedback.moc"
