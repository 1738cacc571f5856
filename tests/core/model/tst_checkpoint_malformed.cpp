// SPDX-License-Identifier: Apache-2.0
// A good checkpoint, damaged in one way each: refused with the file, the part and the reason.
#include <QFile>
#include <QTest>

#include <cstring>
#include <functional>
#include <limits>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/checkpoint.h"

using namespace imprint;
using namespace imprint::model;
using Header = nlohmann::ordered_json;

using Edit = std::function<QByteArray(const QByteArray&)>;
Q_DECLARE_METATYPE(Edit)

namespace {

constexpr const char* kFile = "model.safetensors";

QByteArray join(const QByteArray& header, const QByteArray& data)
{
    const quint64 size = static_cast<quint64>(header.size());
    return QByteArray(reinterpret_cast<const char*>(&size), 8) + header + data;
}

quint64 header_size(const QByteArray& file)
{
    quint64 size = 0;
    std::memcpy(&size, file.data(), 8);
    return size;
}

/// Edits the header's text.
Edit text(const std::function<void(QByteArray&)>& change)
{
    return [change](const QByteArray& good) {
        const auto size = static_cast<qsizetype>(header_size(good));
        QByteArray header = good.mid(8, size);
        change(header);
        return join(header, good.mid(8 + size));
    };
}

/// Edits the header as JSON, and the data.
Edit parts(const std::function<void(Header&, QByteArray&)>& change)
{
    return [change](const QByteArray& good) {
        const auto size = static_cast<qsizetype>(header_size(good));
        Header header = Header::parse(good.mid(8, size).toStdString());
        QByteArray data = good.mid(8 + size);
        change(header, data);
        return join(QByteArray::fromStdString(header.dump()), data);
    };
}

Edit set(const char* tensor, const char* key, Header value)
{
    return parts([=](Header& header, QByteArray&) { header[tensor][key] = value; });
}

Edit metadata(const char* key, const char* value)
{
    return parts([=](Header& header, QByteArray&) { header["__metadata__"][key] = value; });
}

Edit config(const char* field, Header value)
{
    return parts([=](Header& header, QByteArray&) {
        auto& text = header["__metadata__"][kConfigKey];
        Header config = Header::parse(text.get<std::string>());
        config[field] = value;
        text = config.dump();
    });
}

/// Takes a tensor out, with its bytes: what is left is a good container.
Edit without(const std::string& tensor)
{
    return parts([=](Header& header, QByteArray& data) {
        const auto begin = header[tensor]["data_offsets"][0].get<qsizetype>();
        const auto size = header[tensor]["data_offsets"][1].get<qsizetype>() - begin;
        header.erase(tensor);
        data.remove(begin, size);
        for (auto& [name, entry] : header.items())
            if (name != "__metadata__")
                for (auto& offset : entry["data_offsets"])
                    if (offset.get<qsizetype>() > begin)
                        offset = offset.get<qsizetype>() - size;
    });
}

Edit shift(const char* tensor, int bytes)
{
    return parts([=](Header& header, QByteArray&) {
        for (auto& offset : header[tensor]["data_offsets"])
            offset = offset.get<int64_t>() + bytes;
    });
}

/// Overwrites the first number of an fp32 tensor.
Edit first_number(const char* tensor, float value)
{
    return parts([=](Header& header, QByteArray& data) {
        std::memcpy(data.data() + header[tensor]["data_offsets"][0].get<qsizetype>(), &value, sizeof value);
    });
}

QByteArray golden()
{
    QFile file(IMPRINT_SOURCE_DIR "/tests/data/models/v1/hybrid.safetensors");
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void load(const QByteArray& bytes)
{
    const std::span data(reinterpret_cast<const std::byte*>(bytes.data()), static_cast<size_t>(bytes.size()));
    load_checkpoint(SafetensorsFile(data, kFile));
}

}  // namespace

class TestCheckpointMalformed : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void damage_is_refused_with_what_and_where_data()
    {
        QTest::addColumn<Edit>("edit");
        QTest::addColumn<QStringList>("words");
        const auto row = [](const char* name, const Edit& edit, const QStringList& words) { QTest::newRow(name) << edit << words; };
        const auto cut = [](double share) -> Edit {
            return [=](const QByteArray& good) { return good.left(static_cast<qsizetype>(double(good.size()) * share)); };
        };
        const auto announced = [](quint64 size) -> Edit {
            return [=](const QByteArray& good) { return QByteArray(reinterpret_cast<const char*>(&size), 8) + good.mid(8); };
        };
        const auto replaced = [](const char* from, const char* to) { return text([=](QByteArray& header) { header.replace(from, to); }); };

        row("nothing", cut(0), {"0 bytes long"});
        row("cut in the header", cut(0.01), {"announces a header of"});
        row("cut in the data", cut(0.9), {"tensor \"", "lies at", "data bytes"});
        row("bytes left over", [](const QByteArray& good) { return good + "xyz"; }, {"3 bytes follow the last tensor"});
        row("a header of 2^63 bytes", announced(quint64{1} << 63), {"announces a header of 9223372036854775808"});
        row("a header above the format's limit", announced(100'000'001), {"announces a header of 100000001"});
        row("a header cut short", announced(64), {"not JSON"});
        row("a header that is not UTF-8", replaced("text.table", "text.\xfftable"), {"not JSON in UTF-8"});
        row("a header with a zero byte", text([](QByteArray& header) { header.append('\0').append("{}"); }), {"zero byte"});
        row("a name twice", replaced("\"text.position\":", "\"text.table\":"), {"\"text.table\" twice"});
        row("a metadata key twice", replaced("\"imprint.format\":", "\"imprint.config\":"), {"\"imprint.config\" twice"});

        row("overlap", shift("text.position", -2), {"\"text.position\" overlap at data byte"});
        row("gap", parts([](Header& header, QByteArray& data) {
                const std::string last = "tokenizer.model";
                data.insert(header[last]["data_offsets"][0].get<qsizetype>(), "xx");
                for (auto& offset : header[last]["data_offsets"])
                    offset = offset.get<int64_t>() + 2;
            }),
            {"\"tokenizer.model\" leave a gap at data byte"});
        row("offsets past the end", set("text.table", "data_offsets", {0, int64_t{1} << 50}), {"tensor \"text.table\" lies at 0 … 1125899906842624"});
        row("offsets backwards", set("text.table", "data_offsets", {9, 3}), {"tensor \"text.table\" lies at 9 … 3"});
        row("three offsets", set("text.table", "data_offsets", {0, 1, 2}), {"tensor \"text.table\" has no two offsets"});
        row("offsets as an object", set("text.table", "data_offsets", {{"a", 0}, {"b", 1}}), {"tensor \"text.table\" has no two offsets"});
        row("no offsets", set("text.table", "data_offsets", nullptr), {"tensor \"text.table\""});

        row("an unknown dtype", set("text.table", "dtype", "Q4"), {"tensor \"text.table\" has the unknown dtype Q4"});
        row("a wider dtype", set("text.table", "dtype", "F64"), {"tensor \"text.table\" needs", "by its shape"});
        row("whole numbers for weights", set("text.table", "dtype", "I16"), {"text.table", "holds I16 where weights are wanted"});
        row("whole numbers in the trunk", set("trunk.stem.weight", "dtype", "I16"), {"trunk.stem.weight", "holds I16"});
        row("whole numbers for the text bank", set("score.text_bank", "dtype", "I16"), {"score.text_bank", "holds I16"});
        row("signed bytes for the tokenizer", set("tokenizer.model", "dtype", "I8"), {"\"tokenizer.model\" holds I8"});
        row("another shape of one size", set("text.table", "shape", {32, 80}), {"\"text.table\" has the shape [32, 80]", "wants [80, 32]"});
        row("one side more", set("text.table", "shape", {80, 32, 1}), {"\"text.table\" has the shape [80, 32, 1]"});
        row("a smaller shape", set("text.table", "shape", {80, 31}), {"\"text.table\" needs 4960 bytes by its shape and has 5120"});
        row("a shape that is a number", set("text.table", "shape", 2560), {"\"text.table\" has a shape that is no list"});
        row("a shape that is an object", set("text.table", "shape", {{"a", 80}, {"b", 32}}), {"\"text.table\" has a shape that is no list"});
        row("no shape", set("text.table", "shape", nullptr), {"\"text.table\" has a shape that is no list"});
        row("a negative side", set("text.table", "shape", {-80, -32}), {"\"text.table\" has a side that is no whole number"});
        row("a broken side", set("text.table", "shape", {80.5, 32}), {"\"text.table\" has a side that is no whole number"});
        row("a side beyond memory", set("text.table", "shape", {int64_t{1} << 62, 32}), {"\"text.table\" has an impossible shape"});
        row("a hundred sides", set("text.table", "shape", std::vector<int>(100, 1)), {"\"text.table\" has a shape that is no list of up to"});
        row("a text bank of another width", set("score.text_bank", "shape", {16, 8}), {"\"score.text_bank\" must hold rows of 16"});
        row("another trunk than stated", config("trunk_channels", 25), {"25"});
        row("other classes than stated", config("trunk_classes", 13), {"13"});

        for (const char* name : {"text.table", "encoder.1.ffn.router.kernel", "trunk.stem.weight", "tokenizer.model",
                                 "score.text_bank", "score.background_picture", "score.background_sound", "temperature.text_text"})
            row(qPrintable(QString("no %1").arg(name)), without(name), {QString("lacks the tensor \"%1\"").arg(name)});

        row("metadata that is no object", parts([](Header& header, QByteArray&) { header["__metadata__"] = {1, 2}; }), {"metadata is not an object"});
        row("metadata that is no text", parts([](Header& header, QByteArray&) { header["__metadata__"]["x"] = 1; }), {"metadata \"x\" is not a string"});
        for (const char* key : {kFormatKey, kConfigKey, kProvenanceKey})
            row(qPrintable(QString("no %1").arg(key)),
                parts([=](Header& header, QByteArray&) { header["__metadata__"].erase(key); }), {QString("no %1").arg(key)});
        row("a format that is a word", metadata(kFormatKey, "one"), {"\"one\" as its checkpoint format"});
        row("a format below counting", metadata(kFormatKey, "-99999999999999999999"), {"as its checkpoint format"});
        row("format nought", metadata(kFormatKey, "0"), {"\"0\" as its checkpoint format"});
        row("no tokenizer hash", parts([](Header& header, QByteArray&) { header["__metadata__"].erase(kTokenizerKey); }), {"tokenizer", "hash"});
        for (const float value : {0.0f, -1.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
            row(("a deviation of " + std::to_string(value)).c_str(), first_number("sound.mel_deviation", value),
                {"\"sound.mel_deviation\" holds what is no positive number"});
        row("another tokenizer hash", metadata(kTokenizerKey, "00"), {"tokenizer", "hash"});
        row("a byte of the tokenizer", [](const QByteArray& good) {
                QByteArray bad = good;
                bad[bad.size() - 9] = static_cast<char>(bad[bad.size() - 9] ^ 4);
                return bad;
            },
            {"tokenizer", "hash"});
        row("provenance that is no JSON", metadata(kProvenanceKey, "{"), {"imprint.provenance is not JSON"});
        row("provenance that is no object", metadata(kProvenanceKey, "[]"), {"imprint.provenance is not a JSON object"});
        row("a configuration that is no JSON", metadata(kConfigKey, "{"), {"imprint.config is not JSON"});
        row("a configuration that is a list", metadata(kConfigKey, "[]"), {"must be an object"});
        row("an unknown field", config("colour", 1), {"a field this version does not know"});
        row("a width that is a word", config("width", "wide"), {"width has the wrong type"});
        row("a width of nothing", config("width", 0), {"width must be 1"});
        row("another width", config("width", 64), {"has the shape", "where the configuration wants"});
        row("heads that do not divide", config("heads", 5), {"must be a multiple of heads"});
        row("more experts than stored", config("experts", 4), {"router.kernel", "has the shape"});
        row("more layers than stored", config("layers", 3), {"encoder."});
        row("a picture size beyond a whole number", config("picture_sizes", {{1e300, 64}}), {"picture_sizes has the wrong type or value"});
        row("a picture size of three", config("picture_sizes", {{64, 64, 64}}), {"picture_sizes has the wrong type or value"});
        row("a picture size that is a word", config("picture_sizes", "64x64"), {"picture_sizes has the wrong type or value"});
        row("groups of nothing", config("max_group", 0), {"max_group must be 1"});
        row("a temperature of nothing", config("concept_temperature", 0), {"concept_temperature must be above 0"});
    }
    void damage_is_refused_with_what_and_where()
    {
        QFETCH(Edit, edit);
        QFETCH(QStringList, words);
        const QByteArray good = golden(), bad = edit(good);
        QVERIFY(bad != good);
        load(good);
        try {
            load(bad);
            QFAIL("loaded");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
            QVERIFY2(error.subject().find(kFile) != std::string::npos, error.what());
            for (const QString& word : words)
                QVERIFY2(QString::fromStdString(error.subject() + ": " + error.reason()).contains(word), error.what());
        }
    }

    void a_newer_format_is_unsupported_and_says_the_way_out_data()
    {
        QTest::addColumn<QByteArray>("format");
        QTest::newRow("the next") << QByteArray::number(kCheckpointFormat + 1);
        QTest::newRow("beyond counting") << QByteArray("99999999999999999999");
    }
    void a_newer_format_is_unsupported_and_says_the_way_out()
    {
        QFETCH(QByteArray, format);
        try {
            load(metadata(kFormatKey, format.constData())(golden()));
            QFAIL("loaded");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Unsupported);
            QVERIFY2(QString(error.what()).contains(format) && QString(error.what()).contains("newer"), error.what());
        }
    }

    void the_helpers_leave_a_good_file_good()
    {
        load(parts([](Header&, QByteArray&) {})(golden()));
        load(text([](QByteArray& header) { header.append("   "); })(golden()));
    }
};

QTEST_APPLESS_MAIN(TestCheckpointMalformed)
#include "tst_checkpoint_malformed.moc"
