// SPDX-License-Identifier: Apache-2.0
// Retrieval with several instances, against the literal case of the released code's metrics_test and cases small enough to see.
#include <QFile>
#include <QTest>

#include <random>

#include <nlohmann/json.hpp>

#include "training/evaluation/retrieval.h"

using namespace imprint::evaluation;

namespace {

InstanceVectors vectors(const nlohmann::json& rows)
{
    InstanceVectors result{
        static_cast<int>(rows.size()), static_cast<int>(rows[0].size()), static_cast<int>(rows[0][0].size()), {}};
    for (const auto& sample : rows)
        for (const auto& instance : sample)
            for (const auto& value : instance)
                result.values.push_back(value.get<float>());
    return result;
}

/// Sixteen samples, one instance against two; bf16 values.
std::pair<InstanceVectors, InstanceVectors> official()
{
    QFile file(IMPRINT_SOURCE_DIR "/tests/data/reference/retrieval_vectors.json");
    if (!file.open(QIODevice::ReadOnly))
        qFatal("the reference vectors are missing");
    const auto json = nlohmann::json::parse(file.readAll().toStdString());
    return {vectors(json["modality_1"]), vectors(json["modality_2"])};
}

/// The rank by its definition: sort, then look.
int sorted_rank(const InstanceVectors& queries, const InstanceVectors& keys, int query, int instance, Instances how)
{
    const auto cosine = [&](int key, int slot) {
        double product = 0, a = 0, b = 0;
        for (int i = 0; i < keys.dim; ++i) {
            const double x = queries.row(query, instance)[i], y = keys.row(key, slot)[i];
            product += x * y;
            a += x * x;
            b += y * y;
        }
        return product / std::sqrt(a * b);
    };
    int best = 1 << 30;
    std::vector<std::pair<double, int>> all;
    for (int slot = 0; slot < keys.instances; ++slot) {
        if (how == Instances::Best)
            all.clear();
        for (int key = 0; key < keys.samples; ++key)
            all.emplace_back(-cosine(key, slot), key);
        if (how == Instances::Boundary && slot + 1 < keys.instances)
            continue;
        std::sort(all.begin(), all.end());
        for (int place = 0; place < static_cast<int>(all.size()); ++place)
            if (all[static_cast<size_t>(place)].second == query)
                best = std::min(best, place);
    }
    return best;
}

}  // namespace

class TestRetrieval : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void the_official_case_gives_the_official_figures_data()
    {
        QTest::addColumn<bool>("boundary");
        QTest::addColumn<QList<double>>("forwards");  // R@1, R@5, R@10, median rank
        QTest::addColumn<QList<double>>("backwards");
        QTest::newRow("best") << false << QList<double>{.125, .5625, .9375, 5} << QList<double>{.0625, .4375, .75, 7};
        QTest::newRow("boundary") << true << QList<double>{.125, .4375, .5, 9} << QList<double>{.0625, .4375, .75, 7};
    }
    void the_official_case_gives_the_official_figures()
    {
        QFETCH(bool, boundary);
        const auto [a, b] = official();
        QCOMPARE(a.samples, 16);
        QCOMPARE(b.instances, 2);
        const RetrievalFigures figures = retrieval(a, b, boundary ? Instances::Boundary : Instances::Best);
        const auto list = [](const Recalls& r) { return QList<double>{r.r1, r.r5, r.r10, r.median_rank}; };
        QTEST(list(figures.forwards), "forwards");
        QTEST(list(figures.backwards), "backwards");
    }

    void ranks_are_those_of_a_sorted_list_data()
    {
        QTest::addColumn<int>("query_instances");
        QTest::addColumn<int>("key_instances");
        QTest::addColumn<bool>("boundary");
        for (const int queries : {1, 3})
            for (const int keys : {1, 5})
                for (const bool boundary : {false, true})
                    QTest::addRow("%d to %d %s", queries, keys, boundary ? "boundary" : "best") << queries << keys << boundary;
    }
    void ranks_are_those_of_a_sorted_list()
    {
        QFETCH(int, query_instances);
        QFETCH(int, key_instances);
        QFETCH(bool, boundary);
        const Instances how = boundary ? Instances::Boundary : Instances::Best;
        std::mt19937 generator(4);
        std::normal_distribution<float> normal;
        const auto random = [&](int instances) {
            InstanceVectors result{40, instances, 12, {}};
            for (int i = 0; i < 40 * instances * 12; ++i)
                result.values.push_back(3 * normal(generator));
            return result;
        };
        const InstanceVectors queries = random(query_instances), keys = random(key_instances);
        const std::vector<int> ranks = retrieval_ranks(queries, keys, how);
        QCOMPARE(static_cast<int>(ranks.size()), 40 * query_instances);
        for (int query = 0; query < 40; ++query)
            for (int instance = 0; instance < query_instances; ++instance)
                QCOMPARE(ranks[static_cast<size_t>(query * query_instances + instance)],
                         sorted_rank(queries, keys, query, instance, how));
    }

    void equal_scores_stand_in_the_order_of_the_keys()
    {
        const InstanceVectors same{4, 1, 2, {1, 0, 1, 0, 1, 0, 1, 0}};
        QCOMPARE(retrieval_ranks(same, same, Instances::Boundary), (std::vector<int>{0, 1, 2, 3}));
        QCOMPARE(retrieval_ranks(same, same, Instances::Best), (std::vector<int>{0, 1, 2, 3}));
    }

    void clips_are_averaged_before_their_length_is_taken()
    {
        const InstanceVectors clips{1, 2, 2, {10, 0, 0, 2}};
        const InstanceVectors mean = averaged(clips);
        QCOMPARE(mean.instances, 1);
        QCOMPARE(mean.values, (std::vector<float>{5, 1}));
    }

    void recalls_count_ranks()
    {
        const std::vector<int> ranks = {0, 4, 5, 9, 10, 99};
        const Recalls figures = recalls(ranks);
        QCOMPARE(figures.r1, 1.0 / 6);
        QCOMPARE(figures.r5, 2.0 / 6);
        QCOMPARE(figures.r10, 4.0 / 6);
        QCOMPARE(figures.median_rank, 8.0);
        QCOMPARE(recalls({}).r10, 0.0);
    }
};

QTEST_APPLESS_MAIN(TestRetrieval)
#include "tst_retrieval.moc"
