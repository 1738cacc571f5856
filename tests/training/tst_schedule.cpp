// SPDX-License-Identifier: Apache-2.0
// The learning rate against the check values of imp_method.md section 5, and what no schedule may be.
#include <QTest>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "training/schedule.h"

using namespace imprint;
using namespace imprint::training;

namespace {

const Schedule kSmall{200'000, 0, 0, 10'000, 1e-6, 8e-4, 0};
const Schedule kBase{500'000, 2'000, 2e-5, 25'000, 5e-6, 1e-3, 1e-6};
const Schedule kLarge{500'000, 5'000, 1e-5, 50'000, 1e-6, 5e-4, 1e-6};

}  // namespace

Q_DECLARE_METATYPE(imprint::training::Schedule)

class TestSchedule : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void the_rate_is_the_published_one_data()
    {
        QTest::addColumn<Schedule>("schedule");
        QTest::addColumn<qint64>("step");
        QTest::addColumn<double>("rate");
        QTest::addColumn<double>("precision");  // half a unit of the last published digit
        QTest::newRow("base, start") << kBase << qint64{0} << 2e-5 << 1e-16;
        QTest::newRow("base, falling") << kBase << qint64{1000} << 1.25e-5 << 1e-16;
        QTest::newRow("base, lowest") << kBase << qint64{2000} << 5e-6 << 1e-16;
        QTest::newRow("base, half way up") << kBase << qint64{14500} << 5.025e-4 << 1e-15;
        QTest::newRow("base, peak") << kBase << qint64{27000} << 1e-3 << 1e-15;
        QTest::newRow("base, half of the run") << kBase << qint64{250000} << 5.4833e-4 << 5e-9;
        QTest::newRow("base, last step") << kBase << qint64{500000} << 1.0437e-6 << 5e-11;
        QTest::newRow("base, the cosine's own end") << kBase << qint64{502000} << 1e-6 << 1e-16;
        QTest::newRow("base, long past it") << kBase << qint64{900000} << 1e-6 << 1e-16;
        QTest::newRow("large, start") << kLarge << qint64{0} << 1e-5 << 1e-16;
        QTest::newRow("large, lowest") << kLarge << qint64{5000} << 1e-6 << 1e-16;
        QTest::newRow("large, rising") << kLarge << qint64{27000} << 2.2056e-4 << 5e-9;
        QTest::newRow("small, start") << kSmall << qint64{0} << 1e-6 << 1e-16;
        QTest::newRow("small, peak") << kSmall << qint64{10000} << 8e-4 << 1e-15;
        QTest::newRow("small, end") << kSmall << qint64{200000} << 0.0 << 1e-16;
    }
    void the_rate_is_the_published_one()
    {
        QFETCH(Schedule, schedule);
        QFETCH(qint64, step);
        QFETCH(double, rate);
        QFETCH(double, precision);
        QVERIFY2(std::abs(schedule.rate(step) - rate) <= precision, qPrintable(QString::number(schedule.rate(step), 'g', 12)));
    }

    void it_never_jumps()
    {
        for (const Schedule& schedule : {kSmall, kBase, kLarge})
            for (int64_t step = 0; step < schedule.steps + schedule.pre_warmup; ++step)
                QVERIFY(std::abs(schedule.rate(step + 1) - schedule.rate(step)) < schedule.peak * 1.1e-4);
    }

    void an_impossible_one_is_refused_data()
    {
        QTest::addColumn<Schedule>("schedule");
        QTest::addColumn<QString>("field");
        Schedule schedule = kBase;
        schedule.steps = 27'000;
        QTest::newRow("no step for the cosine") << schedule << "warmup";
        schedule = kBase;
        schedule.peak = -1;
        QTest::newRow("negative rate") << schedule << "peak";
        schedule = kBase;
        schedule.last = std::numeric_limits<double>::quiet_NaN();
        QTest::newRow("not a number") << schedule << "last";
        schedule = kBase;
        schedule.pre_warmup = -5;
        QTest::newRow("negative length") << schedule << "pre_warmup";
    }
    void an_impossible_one_is_refused()
    {
        QFETCH(Schedule, schedule);
        QFETCH(QString, field);
        kBase.check();
        try {
            schedule.check();
            QFAIL("was accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Usage);
            QCOMPARE(QString::fromStdString(error.subject()), field);
        }
    }
};

QTEST_APPLESS_MAIN(TestSchedule)
#include "tst_schedule.moc"
