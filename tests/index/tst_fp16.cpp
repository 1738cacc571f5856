// SPDX-License-Identifier: Apache-2.0
// Stored half floats: rounding to nearest even, the same on every machine.
#include <QtTest>

#include <bit>
#include <cmath>
#include <random>

#include "index/half.h"

using namespace imprint::index;

class TestFp16 : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_half_survives_the_way_through_float();
    void every_half_means_what_the_standard_says();
    void rounds_to_the_nearest_even_data();
    void rounds_to_the_nearest_even();
    void rounds_millions_of_floats_to_the_nearest_half();
    void converts_whole_rows();
};

void TestFp16::every_half_survives_the_way_through_float()
{
    for (uint32_t bits = 0; bits < 65536; ++bits) {
        const float value = from_half(static_cast<uint16_t>(bits));
        if (std::isnan(value))
            QVERIFY(std::isnan(from_half(to_half(value))));
        else
            QCOMPARE(to_half(value), static_cast<uint16_t>(bits));
    }
}

void TestFp16::every_half_means_what_the_standard_says()
{
    for (uint32_t bits = 0; bits < 65536; ++bits) {
        const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
        const double sign = bits & 0x8000 ? -1 : 1;
        const float value = from_half(static_cast<uint16_t>(bits));
        if (exponent == 31)
            QVERIFY(mantissa ? std::isnan(value) : std::isinf(value) && value * sign > 0);
        else
            QCOMPARE(static_cast<double>(value),
                     sign * (exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24)));
    }
}

void TestFp16::rounds_to_the_nearest_even_data()
{
    QTest::addColumn<float>("value");
    QTest::addColumn<int>("half");
    QTest::newRow("one") << 1.0f << 0x3c00;
    QTest::newRow("minus zero") << -0.0f << 0x8000;
    QTest::newRow("a tie goes down to the even neighbour") << 1.0f + 0x1p-11f << 0x3c00;
    QTest::newRow("a tie goes up to the even neighbour") << 1.0f + 3 * 0x1p-11f << 0x3c02;
    QTest::newRow("just above a tie goes up") << 1.0f + 0x1p-11f + 0x1p-23f << 0x3c01;
    QTest::newRow("a carry reaches the exponent") << 0x1.ffep0f + 0x1p-11f << 0x4000;
    QTest::newRow("largest") << 65504.0f << 0x7bff;
    QTest::newRow("half of the way to infinity") << 65520.0f << 0x7c00;
    QTest::newRow("just below that") << std::nextafter(65520.0f, 0.0f) << 0x7bff;
    QTest::newRow("smallest normal") << 0x1p-14f << 0x0400;
    QTest::newRow("a subnormal that rounds up to normal") << 0x1.ffcp-15f + 0x1p-25f << 0x0400;
    QTest::newRow("smallest subnormal") << 0x1p-24f << 0x0001;
    QTest::newRow("half of it goes to zero") << 0x1p-25f << 0x0000;
    QTest::newRow("just above half of it") << std::nextafter(0x1p-25f, 1.0f) << 0x0001;
    QTest::newRow("a float's own subnormal") << 0x1p-140f << 0x0000;
}

void TestFp16::rounds_to_the_nearest_even()
{
    QFETCH(float, value);
    QFETCH(int, half);
    QCOMPARE(static_cast<int>(to_half(value)), half);
}

void TestFp16::rounds_millions_of_floats_to_the_nearest_half()
{
    std::mt19937 random(1);
    for (int i = 0; i < 2'000'000; ++i) {
        const uint32_t bits = random();
        // Every other value from the range that components of unit vectors have.
        const float value = i % 2 ? std::bit_cast<float>(bits) : static_cast<float>(bits) / 2147483648.0f - 1.0f;
        if (!(std::abs(value) < 65504.0f))
            continue;
        const uint16_t half = to_half(value);
        const double error = std::abs(static_cast<double>(from_half(half)) - value);
        const uint16_t magnitude = half & 0x7fff;
        if (magnitude > 0)
            QVERIFY(error <= std::abs(static_cast<double>(from_half(half - 1)) - value));
        QVERIFY(error <= std::abs(static_cast<double>(from_half(half + 1)) - value));
    }
}

void TestFp16::converts_whole_rows()
{
    const std::vector<float> row = {0.5f, -0.25f, 0.1f};
    std::vector<float> back(3);
    from_half(to_half(row), back);
    QCOMPARE(back[0], 0.5f);
    QCOMPARE(back[1], -0.25f);
    QVERIFY(std::abs(back[2] - 0.1f) < 1e-4f);
}

QTEST_APPLESS_MAIN(TestFp16)
#include "tst_fp16.moc"
