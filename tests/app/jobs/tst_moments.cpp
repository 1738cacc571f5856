// SPDX-License-Identifier: Apache-2.0
// Where moments lie: windows, frames, silence, chunks.
#include <QTest>
#include <cmath>

#include "app/jobs/moments.h"
#include "core/media/media.h"

using namespace imprint::jobs;

namespace {

QString text_of(const std::vector<Window>& windows)
{
    QStringList parts;
    for (const Window& window : windows)
        parts << QString("%1-%2").arg(window.start).arg(window.end);
    return parts.join(" ");
}

}  // namespace

class TestMoments : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void frames_stand_at_the_middles_of_equal_parts_data()
    {
        QTest::addColumn<double>("start");
        QTest::addColumn<double>("end");
        QTest::addColumn<int>("most");
        QTest::addColumn<QList<double>>("times");
        QTest::newRow("one a second") << 4.0 << 8.0 << 8 << QList<double>{4.5, 5.5, 6.5, 7.5};
        QTest::newRow("no more than the encoder takes") << 0.0 << 4.0 << 2 << QList<double>{1, 3};
        QTest::newRow("at least one") << 0.0 << 0.25 << 4 << QList<double>{0.125};
        QTest::newRow("no length") << 0.0 << 0.0 << 4 << QList<double>{0};
        QTest::newRow("a joined rest") << 0.0 << 4.9 << 4 << QList<double>{0.6125, 1.8375, 3.0625, 4.2875};
    }
    void frames_stand_at_the_middles_of_equal_parts()
    {
        QFETCH(double, start);
        QFETCH(double, end);
        QFETCH(int, most);
        QFETCH(QList<double>, times);
        const std::vector<double> found = frame_times({start, end}, most);
        QCOMPARE(qsizetype(found.size()), times.size());
        for (qsizetype i = 0; i < times.size(); ++i)
            QVERIFY2(std::abs(found[i] - times[i]) < 1e-9, qPrintable(QString::number(found[i])));
    }

    void sound_windows_cover_the_sound_data()
    {
        QTest::addColumn<double>("duration");
        QTest::addColumn<QString>("windows");
        QTest::newRow("nothing") << 0.0 << "";
        QTest::newRow("the only one may be short") << 0.5 << "0-0.5";
        QTest::newRow("one") << 10.0 << "0-10";
        QTest::newRow("a rest of a quarter") << 12.5 << "0-10 10-12.5";
        QTest::newRow("a shorter rest reaches back") << 11.0 << "0-10 8.5-11";
        QTest::newRow("several") << 25.0 << "0-10 10-20 20-25";
    }
    void sound_windows_cover_the_sound()
    {
        QFETCH(double, duration);
        QTEST(text_of(sound_windows(duration, 10)), "windows");
    }

    void silence_is_the_absence_of_any_loud_slice_data()
    {
        QTest::addColumn<double>("level");
        QTest::addColumn<double>("burst");  // seconds of a tone at −20 dBFS in the middle
        QTest::addColumn<bool>("silent");
        QTest::newRow("digital silence") << 0.0 << 0.0 << true;
        QTest::newRow("noise floor of -66 dBFS") << 0.0005 << 0.0 << true;
        QTest::newRow("just above -60 dBFS") << 0.0011 << 0.0 << false;
        QTest::newRow("a click in silence") << 0.0 << 0.05 << false;
    }
    void silence_is_the_absence_of_any_loud_slice()
    {
        QFETCH(double, level);
        QFETCH(double, burst);
        std::vector<float> samples(10 * imprint::media::kSampleRate, static_cast<float>(level));
        const auto middle = samples.size() / 2;
        for (size_t i = 0; i < static_cast<size_t>(burst * imprint::media::kSampleRate); ++i)
            samples[middle + i] = 0.1f;
        QTEST(silent(samples), "silent");
    }

    void chunks_hold_every_window_once_within_the_bounds()
    {
        const std::vector<Window> windows = sound_windows(1000, 4);
        const std::vector<int> items(windows.size(), 4);
        for (const auto& [most, span, expected] : {std::tuple{64, HUGE_VAL, 16u}, {1'000'000, 40.0, 10u}, {1, HUGE_VAL, 1u}}) {
            const std::vector<Chunk> cut = chunks(windows, items, most, span);
            size_t next = 0;
            for (const Chunk& chunk : cut) {
                QCOMPARE(chunk.first, next);
                QVERIFY(chunk.last > chunk.first);
                QVERIFY(chunk.last - chunk.first <= expected);
                next = chunk.last;
            }
            QCOMPARE(next, windows.size());
            QCOMPARE(cut.front().last, size_t(expected));
        }
    }
};

QTEST_GUILESS_MAIN(TestMoments)
#include "tst_moments.moc"
