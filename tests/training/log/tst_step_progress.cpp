// SPDX-License-Identifier: Apache-2.0
// What the console says of a run's speed, on numbers that can be checked by hand.
#include <QTest>

#include "training/log/step_progress.h"

using namespace imprint::training;

class TestStepProgress : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_line_says_how_far_how_fast_how_long()
    {
        StepProgress progress(100, 1300);
        QCOMPARE(progress.line(), std::string("step 100/1300 (7 %)"));
        QVERIFY(!progress.seconds_left());
        for (int i = 0; i < 20; ++i)
            progress.add(i % 2 ? 1024 : 192, i % 2 ? 8192 : 9408, i % 2 ? 0.25 : 0.75);
        QCOMPARE(progress.done(), 120);
        QCOMPARE(progress.samples_per_second(), 1216.0);
        QCOMPARE(progress.tokens_per_second(), 17600.0);
        QCOMPARE(*progress.seconds_left(), 1180 * 0.5);
        QCOMPARE(progress.line(), std::string("step 120/1300 (9 %), 1.22k samples/s, 17.6k tokens/s, 9:50 left"));
    }

    void speed_follows_the_latest_steps()
    {
        StepProgress progress(0, 1000);
        for (int i = 0; i < 300; ++i)
            progress.add(10, 0, 10.0);
        for (size_t i = 0; i < StepProgress::kWindow; ++i)
            progress.add(10, 0, 1.0);
        QCOMPARE(progress.samples_per_second(), 10.0);
        QCOMPARE(*progress.seconds_left(), 500.0);
    }

    void steps_that_take_no_time_divide_nothing()
    {
        StepProgress progress(0, 1);
        progress.add(5, 5, 0);
        progress.add(5, 5, 0);  // one more than planned
        QCOMPARE(progress.samples_per_second(), 0.0);
        QCOMPARE(*progress.seconds_left(), 0.0);
    }

    void numbers_stay_short_data()
    {
        QTest::addColumn<double>("value");
        QTest::addColumn<QString>("text");
        QTest::newRow("nothing") << 0.0 << "0.00";
        QTest::newRow("fraction") << 0.25 << "0.25";
        QTest::newRow("tens") << 18.42 << "18.4";
        QTest::newRow("hundreds") << 412.3 << "412";
        QTest::newRow("almost a thousand") << 999.7 << "1.00k";
        QTest::newRow("thousands") << 20249.0 << "20.2k";
        QTest::newRow("millions") << 1.314e6 << "1.31M";
        QTest::newRow("negative") << -1500.0 << "-1.50k";
    }
    void numbers_stay_short()
    {
        QFETCH(double, value);
        QTEST(QString::fromStdString(short_number(value)), "text");
    }

    void times_are_read_as_clocks_data()
    {
        QTest::addColumn<double>("seconds");
        QTest::addColumn<QString>("text");
        QTest::newRow("none") << 0.2 << "0:00";
        QTest::newRow("seconds") << 7.0 << "0:07";
        QTest::newRow("minutes") << 751.4 << "12:31";
        QTest::newRow("hours") << 3725.0 << "1:02:05";
        QTest::newRow("days") << 3 * 86400.0 + 4 * 3600 << "3 d 4 h";
    }
    void times_are_read_as_clocks()
    {
        QFETCH(double, seconds);
        QTEST(QString::fromStdString(short_time(seconds)), "text");
    }
};

QTEST_APPLESS_MAIN(TestStepProgress)
#include "tst_step_progress.moc"
