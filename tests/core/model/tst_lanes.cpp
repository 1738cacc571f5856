// SPDX-License-Identifier: Apache-2.0
// Lanes share work without touching each other's bits; how many there are is chosen by what they get done.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <QTest>

#include <atomic>
#include <vector>

#include "core/model/lanes.h"

using namespace imprint::model;

class TestLanes : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_piece_is_done_once_by_a_thread_of_its_own()
    {
        const Lanes lanes(3);
        std::vector<std::atomic<int>> done(100);
        std::atomic<int> most_threads = 0;
        lanes.each(done.size(), [&](size_t i) {
            ++done[i];
            most_threads = std::max(most_threads.load(), at::get_num_threads());
        });
        for (const auto& count : done)
            QCOMPARE(count.load(), 1);
        QCOMPARE(most_threads.load(), 1);
    }

    void products_have_the_same_bits_on_any_number_of_lanes()
    {
        at::manual_seed(1);
        const at::Tensor kernel = at::randn({600, 400});
        std::vector<at::Tensor> items, wanted(40);
        for (int64_t i = 0; i < 40; ++i)
            items.push_back(at::randn({1 + i, 400}));
        Lanes(1).each(items.size(), [&](size_t i) { wanted[i] = at::linear(items[i], kernel); });
        for (const int count : {2, 3, 5}) {
            std::vector<at::Tensor> found(items.size());
            Lanes(count).each(items.size(), [&](size_t i) { found[i] = at::linear(items[i], kernel); });
            for (size_t i = 0; i < items.size(); ++i)
                QVERIFY(at::equal(found[i], wanted[i]));
        }
    }

    void an_error_in_a_lane_reaches_the_caller()
    {
        const Lanes lanes(2);
        QVERIFY_EXCEPTION_THROWN(lanes.each(5,
                                            [](size_t i) {
                                                if (i == 3)
                                                    throw std::runtime_error("lane");
                                            }),
                                 std::runtime_error);
    }

    void the_count_grows_while_it_pays_data()
    {
        QTest::addColumn<QList<double>>("rates");  // with 1, 2, 4 … lanes, and with the most
        QTest::addColumn<int>("most");
        QTest::addColumn<int>("chosen");
        QTest::newRow("one core") << QList<double>{10} << 1 << 1;
        QTest::newRow("two cores to ourselves") << QList<double>{10, 19} << 2 << 2;
        QTest::newRow("a second core that others use") << QList<double>{10, 9} << 2 << 1;
        QTest::newRow("hardly better is not worth it") << QList<double>{10, 10.5} << 2 << 1;
        QTest::newRow("memory is full at four") << QList<double>{10, 20, 30, 31} << 16 << 4;
        QTest::newRow("six cores") << QList<double>{10, 20, 40, 60} << 6 << 6;
        QTest::newRow("three cores, the third busy") << QList<double>{10, 20, 15} << 3 << 2;
    }
    void the_count_grows_while_it_pays()
    {
        QFETCH(QList<double>, rates);
        QFETCH(int, most);
        QFETCH(int, chosen);
        QList<int> tried;
        const int count = fastest_lane_count(most, [&](int lanes) {
            tried << lanes;
            return rates.at(tried.size() - 1);
        });
        QCOMPARE(count, chosen);
        QVERIFY(tried.last() <= most);
    }
};

QTEST_APPLESS_MAIN(TestLanes)
#include "tst_lanes.moc"
