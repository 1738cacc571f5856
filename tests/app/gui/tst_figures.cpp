// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.
#include <QImage>
#include <QTest>

#include "app/gui/figures.h"

using namespace imprint::gui;

class FiguresTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_time_reads_as_on_a_clock_data()
    {
        QTest::addColumn<double>("seconds");
        QTest::addColumn<QString>("text");
        QTest::newRow("nothing") << 0.0 << "0:00";
        QTest::newRow("seconds") << 42.9 << "0:42";
        QTest::newRow("less than a second") << 0.92 << "0:00.9";
        QTest::newRow("hardly anything") << 0.04 << "0:00";
        QTest::newRow("a second") << 1.0 << "0:01";
        QTest::newRow("minutes") << 728.0 << "12:08";
        QTest::newRow("hours") << 4000.0 << "1:06:40";
        QTest::newRow("just before a second, by rounding of decimals") << 5.9999999 << "0:06";
    }
    void a_time_reads_as_on_a_clock()
    {
        QFETCH(double, seconds);
        QTEST(format_time(seconds), "text");
    }

    void what_is_left_is_told_in_the_unit_that_fits_data()
    {
        QTest::addColumn<double>("seconds");
        QTest::addColumn<QString>("text");
        QTest::newRow("never zero") << 0.2 << "1 s left";
        QTest::newRow("seconds") << 45.0 << "45 s left";
        QTest::newRow("minutes") << 180.0 << "3 min left";
        QTest::newRow("hours") << 7200.0 << "2 h left";
    }
    void what_is_left_is_told_in_the_unit_that_fits()
    {
        QFETCH(double, seconds);
        QTEST(format_left(seconds), "text");
    }

    void counts_are_grouped_and_agree_with_their_noun()
    {
        QCOMPARE(format_count(18204), QStringLiteral("18,204"));
        QCOMPARE(counted(1, "moment", "moments"), QStringLiteral("1 moment"));
        QCOMPARE(counted(0, "moment", "moments"), QStringLiteral("0 moments"));
        QCOMPARE(format_span(728, 734), QStringLiteral("12:08–12:14"));
        QCOMPARE(format_span(728.25, 728.9), QStringLiteral("12:08.2–12:08.9"));
        QCOMPARE(format_span(0, 0.9, " – "), QStringLiteral("0:00.0 – 0:00.9"));
        QCOMPARE(format_span(3.1, 3.4), QStringLiteral("0:03.1–0:03.4"));
        QCOMPARE(format_span(3.11, 3.14), QStringLiteral("0:03"));
    }

    void every_number_of_as_many_digits_is_as_wide()
    {
        QFont font("Inter");
        font.setPixelSize(13);
        const QFontMetrics metrics(font);
        QCOMPARE(figures_width(metrics, "1:11"), figures_width(metrics, "8:08"));
        QCOMPARE(figures_width(metrics, "111 files"), figures_width(metrics, "947 files"));
    }

    void drawing_stays_inside_its_room()
    {
        QImage image(60, 20, QImage::Format_RGB32);
        image.fill(Qt::white);
        QPainter painter(&image);
        painter.setPen(Qt::black);
        const int end = draw_figures(painter, QRect(0, 0, 40, 20), Qt::AlignLeft, "a name far too long for 40 pixels");
        painter.end();
        QVERIFY2(end <= 41, qPrintable(QString::number(end)));
        for (int x = 44; x < 60; ++x)
            for (int y = 0; y < 20; ++y)
                QCOMPARE(image.pixel(x, y), qRgb(255, 255, 255));
    }
};

QTEST_MAIN(FiguresTest)
#include "tst_figures.moc"
