// SPDX-License-Identifier: Apache-2.0
// The container format: what is written comes back, and every way a file can lie is refused with its place.
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstring>
#include <fstream>

#include "core/base/error.h"
#include "core/model/safetensors.h"

using namespace imprint;
using namespace imprint::model;

namespace {

QByteArray file_of(const QByteArray& header, const QByteArray& data)
{
    const quint64 size = static_cast<quint64>(header.size());
    return QByteArray(reinterpret_cast<const char*>(&size), 8) + header + data;
}

QByteArray good_header()
{
    return R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]}})";
}

void parse(const QByteArray& bytes)
{
    SafetensorsFile({reinterpret_cast<const std::byte*>(bytes.data()), static_cast<size_t>(bytes.size())}, "x.safetensors");
}

}  // namespace

class TestSafetensors : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void what_is_written_comes_back()
    {
        QTemporaryDir dir;
        const std::filesystem::path path = dir.filePath("t.safetensors").toStdString();
        const float values[3] = {1.5f, -2, 0.25f};
        const std::span bytes(reinterpret_cast<const std::byte*>(values), sizeof values);
        write_safetensors(path, {{"key", "value"}}, {{"one", {DType::F32, {3}, bytes}}, {"none", {DType::F32, {0, 5}, {}}}});
        const SafetensorsFile file(path);
        QCOMPARE(file.metadata().at("key"), std::string("value"));
        QCOMPARE(file.at("one").to_floats("one"), std::vector<float>({1.5f, -2, 0.25f}));
        QCOMPARE(file.at("none").count(), int64_t{0});
        QVERIFY_THROWS_EXCEPTION(Error, file.at("two"));
        QCOMPARE(QDir(dir.path()).entryList(QDir::Files).size(), 1);  // no temporary file stays
    }

    void a_malformed_file_is_refused_with_the_reason_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("word");
        const QByteArray data(12, '\1');
        const auto row = [](const char* name, const QByteArray& bytes, const char* word) { QTest::newRow(name) << bytes << QString(word); };
        const auto changed = [&](const char* from, const char* to) { return file_of(good_header().replace(from, to), data); };
        row("empty", {}, "too short");
        row("half a length", QByteArray(5, 'x'), "too short");
        row("a huge header", QByteArray(8, '\xff') + "{}", "announces");
        row("header longer than the file", file_of(good_header(), data).left(40), "announces");
        row("truncated data", file_of(good_header(), data.left(7)), "data bytes");
        row("bytes left over", file_of(good_header(), data + "xx"), "follow the last tensor");
        row("not JSON", file_of("{\"a\":", data), "not JSON");
        row("an array", file_of("[]", ""), "not a JSON object");
        row("not UTF-8", file_of("{\"\xff\xfe\":{}}", ""), "not JSON in UTF-8");
        row("two tensors of one name", changed("\"b\"", "\"a\""), "twice");
        row("unknown dtype", changed("F32", "F31"), "unknown dtype");
        row("shape and size disagree", changed("[2]", "[3]"), "needs 12 bytes");
        row("negative side", changed("[2]", "[-2]"), "whole number");
        row("a side that overflows", changed("[2]", "[4611686018427387904,4]"), "impossible shape");
        row("overlap", changed("[8,12]", "[4,8]"), "overlap");
        row("gap", file_of(good_header().replace("[8,12]", "[9,13]"), data + "x"), "gap");
        row("offsets backwards", changed("[0,8]", "[8,0]"), "lies at");
        row("offsets past the end", changed("[8,12]", "[8,99]"), "lies at");
        row("no offsets", changed("\"data_offsets\":[0,8]", "\"x\":1"), "lacks");
        row("metadata that is no text", file_of(R"({"__metadata__":{"k":1}})", ""), "not a string");
        row("a shape that is a number", changed("[2]", "2"), "no list");
        row("a shape that is an object", changed("[2]", "{\"a\":2}"), "no list");
        row("a zero byte after the header", file_of(good_header() + QByteArray("\0{}", 3), data), "zero byte");
        row("deep nesting", file_of("{\"a\":" + QByteArray(200, '[') + QByteArray(200, ']') + "}", ""), "nested");
    }
    void a_malformed_file_is_refused_with_the_reason()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, word);
        parse(file_of(good_header(), QByteArray(12, '\1')));
        try {
            parse(bytes);
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
            QCOMPARE(error.subject(), std::string("x.safetensors"));
            QVERIFY2(QString::fromStdString(error.reason()).contains(word), error.what());
        }
    }

    void every_truncation_and_flipped_byte_is_answered_by_an_error_or_a_whole_read()
    {
        const QByteArray good = file_of(good_header(), QByteArray(12, '\1'));
        for (int length = 0; length < good.size(); ++length)
            QVERIFY_THROWS_EXCEPTION(Error, parse(good.left(length)));
        for (int place = 0; place < good.size() - 12; ++place)
            for (const int bit : {0, 3, 7}) {
                QByteArray flipped = good;
                flipped[place] = static_cast<char>(flipped[place] ^ (1 << bit));
                try {
                    parse(flipped);
                } catch (const Error& error) {
                    QCOMPARE(error.kind(), ErrorKind::Malformed);
                }
            }
    }

    void a_missing_file_names_itself()
    {
        try {
            SafetensorsFile("/no/such/model.safetensors");
            QFAIL("opened");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::NotFound);
            QVERIFY(std::string(error.what()).find("/no/such/model.safetensors") != std::string::npos);
        }
    }

    void half_precision_rounds_to_nearest_even_over_all_values()
    {
        for (uint32_t bits = 0; bits < 0x10000; ++bits) {
            const float value = half_to_float(static_cast<uint16_t>(bits));
            if (std::isnan(value))
                QVERIFY(std::isnan(half_to_float(float_to_half(value))));
            else
                QCOMPARE(float_to_half(value), static_cast<uint16_t>(bits));
        }
        QCOMPARE(float_to_half(1.0f + 0x1p-11f), uint16_t{0x3c00});            // a tie goes to the even neighbour
        QCOMPARE(float_to_half(1.0f + 0x1p-11f + 0x1p-20f), uint16_t{0x3c01});
        QCOMPARE(float_to_half(65520.0f), uint16_t{0x7c00});
        QCOMPARE(float_to_half(65519.0f), uint16_t{0x7bff});
        QCOMPARE(float_to_half(0x1p-25f), uint16_t{0});
        QCOMPARE(float_to_half(0x1.8p-25f), uint16_t{1});
    }
};

QTEST_APPLESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
