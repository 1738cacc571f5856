// SPDX-License-Identifier: Apache-2.0
// Where a video's picture is cut, and how long one vector may stand for what does not change.
#include <QTest>

#include <cmath>

#include "app/jobs/shots.h"

using namespace imprint;
using namespace imprint::jobs;

namespace {

/// A coloured square on a coloured ground.
media::Picture picture(uint32_t ground, uint32_t square, double x)
{
    auto pixels = std::make_shared<std::vector<uint8_t>>();
    constexpr int kSide = 64;
    for (int row = 0; row < kSide; ++row)
        for (int column = 0; column < kSide; ++column) {
            const bool inside = row >= 20 && row < 44 && std::abs(column - x * kSide) < 12;
            const uint32_t colour = inside ? square : ground;
            pixels->insert(pixels->end(), {uint8_t(colour >> 16), uint8_t(colour >> 8), uint8_t(colour)});
        }
    return {kSide, kSide, 0, *pixels, pixels};
}

/// The lengths of the shots that the frames fall into.
QList<int> shots(const std::vector<media::Picture>& frames)
{
    ShotFinder finder;
    QList<int> lengths;
    for (const media::Picture& frame : frames) {
        if (!finder.continues(look_at(frame)))
            lengths << 0;
        ++lengths.back();
    }
    return lengths;
}

std::vector<media::Picture> still(int seconds, uint32_t ground = 0x204060)
{
    return std::vector<media::Picture>(static_cast<size_t>(seconds), picture(ground, 0xffffff, 0.5));
}

std::vector<media::Picture> moving(int seconds, uint32_t ground = 0x204060)
{
    std::vector<media::Picture> frames;
    for (int i = 0; i < seconds; ++i)
        frames.push_back(picture(ground, 0xffffff, i % 2 ? 0.3 : 0.7));
    return frames;
}

std::vector<media::Picture> operator+(std::vector<media::Picture> a, const std::vector<media::Picture>& b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

class TestShots : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void cells_cover_the_video_data()
    {
        QTest::addColumn<double>("duration");
        QTest::addColumn<int>("count");
        QTest::newRow("nothing") << 0.0 << 1;
        QTest::newRow("less than a second") << 0.4 << 1;
        QTest::newRow("a rest joins") << 4.9 << 4;
        QTest::newRow("whole seconds") << 5.0 << 5;
        QTest::newRow("long") << 3600.5 << 3600;
    }
    void cells_cover_the_video()
    {
        QFETCH(double, duration);
        const std::vector<Window> all = cells(duration);
        QTEST(static_cast<int>(all.size()), "count");
        QCOMPARE(all.front().start, 0.0);
        QCOMPARE(all.back().end, duration);
        for (size_t i = 1; i < all.size(); ++i)
            QCOMPARE(all[i].start, all[i - 1].end);
    }

    void shots_end_where_the_picture_changes_data()
    {
        using Frames = std::vector<media::Picture>;
        QTest::addColumn<Frames>("frames");
        QTest::addColumn<QList<int>>("lengths");
        QTest::newRow("one frame") << still(1) << QList<int>{1};
        QTest::newRow("movement") << moving(10) << QList<int>{4, 4, 2};
        QTest::newRow("a still picture") << still(50) << QList<int>{50};
        QTest::newRow("a long still picture") << still(130) << QList<int>{60, 60, 10};
        QTest::newRow("a cut") << still(3) + still(3, 0xe0d0a0) << QList<int>{3, 3};
        QTest::newRow("a cut in movement") << moving(6) + moving(3, 0xe0d0a0) << QList<int>{4, 2, 3};
        QTest::newRow("a long still picture begins to move") << still(30) + moving(6) << QList<int>{30, 4, 2};
        QTest::newRow("movement comes to rest") << moving(4) + still(30) << QList<int>{4, 30};
        QTest::newRow("quick cuts") << still(1) + still(1, 0xe0d0a0) + still(1) << QList<int>{1, 1, 1};
    }
    void shots_end_where_the_picture_changes()
    {
        QFETCH(std::vector<media::Picture>, frames);
        QTEST(shots(frames), "lengths");
    }

    void a_look_does_not_depend_on_the_size()
    {
        const media::Picture small = picture(0x204060, 0xffffff, 0.5);
        auto pixels = std::make_shared<std::vector<uint8_t>>();
        for (int row = 0; row < 128; ++row)
            for (int column = 0; column < 128; ++column)
                for (int c = 0; c < 3; ++c)
                    pixels->push_back(small.rgb[static_cast<size_t>((row / 2 * 64 + column / 2) * 3 + c)]);
        const media::Picture large{128, 128, 0, *pixels, pixels};
        QVERIFY(shift(look_at(small), look_at(large)) < 1e-6);
        QVERIFY(recolouring(look_at(small), look_at(large)) < 1e-6);
    }
};

QTEST_GUILESS_MAIN(TestShots)
#include "tst_shots.moc"
