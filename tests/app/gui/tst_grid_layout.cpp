// SPDX-License-Identifier: Apache-2.0
// Where tiles lie, for grids of every width and up to a hundred thousand tiles.
#include <QTest>

#include "app/gui/grid_layout.h"
#include "app/gui/theme.h"

using imprint::gui::GridLayout;

namespace {

GridLayout grid(std::vector<int> counts, int width)
{
    GridLayout layout;
    layout.set_sections(std::move(counts));
    layout.set_width(width);
    return layout;
}

}  // namespace

class GridLayoutTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tiles_stay_inside_and_apart_data()
    {
        QTest::addColumn<QList<int>>("counts");
        QTest::addColumn<int>("width");
        QTest::newRow("one tile") << QList<int>{1} << 800;
        QTest::newRow("three bands") << QList<int>{8, 5, 21} << 850;
        QTest::newRow("an empty band between") << QList<int>{3, 0, 4} << 1000;
        QTest::newRow("narrower than a tile") << QList<int>{5} << 100;
        QTest::newRow("wide") << QList<int>{50, 50} << 3000;
    }
    void tiles_stay_inside_and_apart()
    {
        QFETCH(QList<int>, counts);
        QFETCH(int, width);
        const GridLayout layout = grid({counts.begin(), counts.end()}, width);
        for (int row = 0; row < layout.count(); ++row) {
            const QRect cell = layout.cell(row);
            QVERIFY(cell.left() >= 0 && cell.bottom() < layout.height());
            QCOMPARE(layout.row_at(cell.center()), row);
            for (int other = row + 1; other < std::min(layout.count(), row + 2 * layout.columns()); ++other)
                QVERIFY2(!cell.intersects(layout.cell(other)), qPrintable(QStringLiteral("%1 and %2").arg(row).arg(other)));
            for (int section = 0; section < layout.section_count(); ++section)
                QVERIFY(!cell.intersects(layout.heading(section)));
        }
    }

    void rows_between_finds_all_that_is_seen()
    {
        const GridLayout layout = grid({7, 0, 33, 100}, 900);
        for (int top = 0; top < layout.height(); top += 37) {
            const auto [first, last] = layout.rows_between(top, top + 400);
            for (int row = 0; row < layout.count(); ++row)
                if (layout.cell(row).intersects(QRect(0, top, 900, 401)))
                    QVERIFY(row >= first && row <= last);
            QVERIFY(last - first < 6 * layout.columns());
        }
    }

    void going_down_and_up_again_comes_home()
    {
        const GridLayout layout = grid({8, 12}, 900);
        QCOMPARE(layout.columns(), 4);
        QCOMPARE(layout.moved(1, 1), 5);
        QCOMPARE(layout.moved(5, 1), 9);  // into the next band, same column
        QCOMPARE(layout.moved(9, -1), 5);
        QCOMPARE(layout.moved(0, -1), 0);
        QCOMPARE(layout.moved(19, 3), 19);
        QCOMPARE(grid({6, 3}, 900).moved(3, 1), 5);  // a shorter line: its last tile
    }

    void a_hundred_thousand_tiles_cost_nothing()
    {
        const GridLayout layout = grid({300, 99'700}, 1200);
        QElapsedTimer timer;
        timer.start();
        qint64 sum = 0;
        for (int i = 0; i < 100'000; ++i)
            sum += layout.cell(i).top() + layout.rows_between(i * 20, i * 20 + 900).first;
        QVERIFY(sum > 0);
        QVERIFY2(timer.elapsed() < 200, qPrintable(QString::number(timer.elapsed())));
    }
};

QTEST_MAIN(GridLayoutTest)
#include "tst_grid_layout.moc"
