// SPDX-License-Identifier: Apache-2.0
// Shards as Python's webdataset 1.0.2 wrote them (tests/data/webdataset, by tests/interop/write_shards.py), against what
// webdataset itself read back from them; and shards that are damaged.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <atomic>
#include <set>
#include <thread>

#include "core/media/decoder.h"
#include "tests/training/data/files.h"
#include "training/data/media_file.h"
#include "training/data/shard_source.h"

using namespace imprint;
using namespace imprint::training;
using test::thrown;
using test::write;

namespace {

const std::filesystem::path kShards = std::filesystem::path(IMPRINT_SOURCE_DIR) / "tests/data/webdataset";

QByteArray content(const std::filesystem::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QJsonArray as_webdataset_reads(const char* which)
{
    return QJsonDocument::fromJson(content(kShards / "golden.json")).object()[which].toArray();
}

ShardOptions labelled()
{
    ShardOptions options;
    options.media_parts = {"png"};
    options.text_parts = {"txt", "json.captions"};
    options.label_part = "cls";
    options.classes = {"cat", "boat", "owl"};
    return options;
}

}  // namespace

class TestShards : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_part_is_the_one_that_webdataset_reads_data()
    {
        QTest::addColumn<QString>("which");
        QTest::addColumn<QStringList>("shards");
        QTest::newRow("plain") << "golden" << QStringList{"golden-000000.tar", "golden-000001.tar"};
        QTest::newRow("gzip") << "packed" << QStringList{"packed.tar.gz"};
    }
    void every_part_is_the_one_that_webdataset_reads()
    {
        QFETCH(QString, which);
        QFETCH(QStringList, shards);
        std::vector<std::filesystem::path> paths;
        for (const QString& shard : shards)
            paths.push_back(kShards / shard.toStdString());
        const QJsonArray expected = as_webdataset_reads(qPrintable(which));
        std::set<QString> extensions;
        for (const auto& row : expected)
            for (const QString& extension : row.toObject()["parts"].toObject().keys())
                extensions.insert(extension);
        QVERIFY(!expected.isEmpty() && extensions.contains("png"));
        for (const QString& extension : extensions) {
            ShardOptions options;
            options.media_parts = {extension.toStdString()};
            options.text_parts = {};
            const ShardSource source(paths, options);
            QCOMPARE(source.size(), static_cast<int64_t>(expected.size()));
            for (int64_t i = source.size(); i-- > 0;) {  // any order
                const QJsonObject parts = expected[i].toObject()["parts"].toObject();
                if (!parts.contains(extension)) {
                    QVERIFY(thrown([&] { source.sample(i); }).endsWith("has no media part"));
                    continue;
                }
                const Sample sample = source.sample(i);
                QVERIFY(QString::fromStdString(sample.name).endsWith(".tar: " + expected[i].toObject()["key"].toString())
                        || QString::fromStdString(sample.name).endsWith(".tar.gz: " + expected[i].toObject()["key"].toString()));
                const std::string& data = std::get<MediaBytes>(sample.media).data;
                QCOMPARE(QByteArray(data.data(), static_cast<qsizetype>(data.size())).toHex(),
                         parts[extension].toString().toLatin1());
            }
        }
    }

    void texts_and_labels_come_with_the_media()
    {
        const ShardSource source({kShards / "golden-000000.tar", kShards / "golden-000001.tar"}, labelled());
        QCOMPARE(source.size(), 7);
        QCOMPARE(source.sample(0).texts, (std::vector<std::string>{"a red boat"}));
        QCOMPARE(source.sample(0).label, 1);
        QCOMPARE(source.sample(1).texts, (std::vector<std::string>{"möwe über dem meer"}));
        QCOMPARE(source.sample(3).texts, (std::vector<std::string>{"one", "two"}));
        QVERIFY(thrown([&] {
                    source.sample(4);
                }).startsWith("malformed|" + QString::fromStdString((kShards / "golden-000001.tar").string()) + ": no-media|"));
        QVERIFY(thrown([&] { source.sample(6); }).endsWith("the label \"3\" is none of the 3 classes"));

        ShardOptions by_name = labelled();
        by_name.label_part = "json.label";
        const ShardSource named({kShards / "golden-000000.tar"}, by_name);
        QCOMPARE(named.sample(3).label, 2);
        QVERIFY(thrown([&] { named.sample(0); }).contains("has 0 labels"));
    }

    void a_shards_picture_goes_through_the_media_door()
    {
        media::DecoderOptions options;
        options.worker = IMPRINT_BIN_DIR "/imprint-decode";
        options.workers = 1;
        media::Decoder decoder(options);
        const ShardSource source({kShards / "golden-000000.tar"}, labelled());
        std::filesystem::path temporary;
        {
            const Sample sample = source.sample(2);
            const MediaFile file(sample);
            temporary = file.path();
            const media::Picture picture = decoder.still(file.path(), {});
            QCOMPARE(picture.width, 16);
            QCOMPARE(picture.height, 12);
        }
        QVERIFY(!std::filesystem::exists(temporary));
        Sample outside;
        outside.media = kShards / "golden.json";
        QVERIFY(MediaFile(outside).path() == kShards / "golden.json");
        QVERIFY(std::filesystem::exists(kShards / "golden.json"));
    }

    void threads_read_one_shard_together()
    {
        const ShardSource source({kShards / "golden-000000.tar"}, labelled());
        std::vector<std::string> expected;
        for (int64_t i = 0; i < 4; ++i)
            expected.push_back(std::get<MediaBytes>(source.sample(i).media).data);
        std::atomic<int> wrong = 0;
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < 4; ++t)
                threads.emplace_back([&, t] {
                    for (int64_t i = 0; i < 200; ++i)
                        wrong += std::get<MediaBytes>(source.sample((i + t) % 4).media).data
                            != expected[static_cast<size_t>((i + t) % 4)];
                });
        }
        QCOMPARE(wrong.load(), 0);
    }

    void an_unreadable_shard_is_named_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("reason");
        const QByteArray whole = content(kShards / "golden-000000.tar"), packed = content(kShards / "packed.tar.gz");
        QTest::newRow("cut off inside a file")
            << whole.left(3700) << "is cut off inside \"000000.png\"; 1 files before that are whole";
        QByteArray broken = whole;
        broken[1024 + 10] = static_cast<char>(broken[1024 + 10] ^ 0x55);  // the second file's
        QTest::newRow("a damaged header") << broken << "is damaged";
        QTest::newRow("cut off inside the packing") << packed.left(packed.size() / 2) << "truncated gzip input";
        QTest::newRow("no archive") << QByteArray(4096, 'x') << "is no archive that can be read";
        QTest::newRow("nothing") << QByteArray() << "is empty";
    }
    void an_unreadable_shard_is_named()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, reason);
        QTemporaryDir dir;
        const std::string path = write(dir, "broken.tar", bytes);
        const QString said = thrown([&] { ShardSource source({path}); });
        QVERIFY2(said.startsWith("malformed|" + QString::fromStdString(path) + "|"), qPrintable(said));
        QVERIFY2(said.contains(reason), qPrintable(said));
    }

    void what_cannot_be_used_is_refused()
    {
        QTemporaryDir dir;
        QVERIFY(thrown([&] { ShardSource source({dir.path().toStdString() + "/none.tar"}); }).startsWith("not-found|"));
        ShardOptions options = labelled();
        options.classes.clear();
        QVERIFY(thrown([&] { ShardSource source({kShards / "golden-000000.tar"}, options); }).startsWith("usage|"));
        QVERIFY(thrown([&] { ShardSource source({}); }).contains("holds no sample"));
    }

    void a_pattern_names_its_shards_data()
    {
        QTest::addColumn<QString>("pattern");
        QTest::addColumn<QStringList>("shards");
        QTest::newRow("range") << "d/train-{0008..0011}.tar"
                               << QStringList{"d/train-0008.tar", "d/train-0009.tar", "d/train-0010.tar", "d/train-0011.tar"};
        QTest::newRow("no leading zeros") << "{9..10}.tar" << QStringList{"9.tar", "10.tar"};
        QTest::newRow("one file") << "a.tar" << QStringList{"a.tar"};
        QTest::newRow("backwards") << "{5..3}.tar" << QStringList{};
        QTest::newRow("no number") << "{a..c}.tar" << QStringList{};
        QTest::newRow("never closed") << "{1..3.tar" << QStringList{};
        QTest::newRow("no dots") << "{13}.tar" << QStringList{};
    }
    void a_pattern_names_its_shards()
    {
        QFETCH(QString, pattern);
        QFETCH(QStringList, shards);
        QStringList found;
        const QString said = thrown([&] {
            for (const auto& shard : expand_shards(pattern.toStdString()))
                found << QString::fromStdString(shard.string());
        });
        QCOMPARE(found, shards);
        QCOMPARE(said.startsWith("usage|"), shards.isEmpty());
    }
};

QTEST_APPLESS_MAIN(TestShards)
#include "tst_shards.moc"
