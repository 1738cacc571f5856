// SPDX-License-Identifier: Apache-2.0
// Event files byte by byte: sums against RFC 3720, a record against the one that TensorBoard's own writer makes, and a reader
// that knows only the record format. tests/interop/tensorboard.sh reads them with the real TensorBoard.
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cstring>
#include <vector>

#include "core/base/error.h"
#include "training/log/event_file.h"

using namespace imprint;
using namespace imprint::training;

namespace {

template <typename T>
T number_at(const QByteArray& bytes, qsizetype at)
{
    T value;
    std::memcpy(&value, bytes.constData() + at, sizeof value);
    return value;
}

QByteArray content(const std::filesystem::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

uint32_t sum_of(const QByteArray& bytes) { return masked_crc32c({bytes.constData(), static_cast<size_t>(bytes.size())}); }

/// The messages of whole records; nothing where a sum is wrong.
std::vector<QByteArray> messages(const QByteArray& bytes)
{
    std::vector<QByteArray> found;
    for (qsizetype at = 0; at < bytes.size();) {
        const auto length = static_cast<qsizetype>(number_at<uint64_t>(bytes, at));
        const QByteArray message = bytes.mid(at + 12, length);
        if (number_at<uint32_t>(bytes, at + 8) != sum_of(bytes.mid(at, 8))
            || number_at<uint32_t>(bytes, at + 12 + length) != sum_of(message))
            return {};
        found.push_back(message);
        at += length + 16;
    }
    return found;
}

}  // namespace

class TestEventFile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sums_are_those_of_the_standard_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<quint32>("sum");
        QByteArray rising, falling;
        for (int i = 0; i < 32; ++i) {
            rising.append(static_cast<char>(i));
            falling.append(static_cast<char>(31 - i));
        }
        // RFC 3720, B.4, and the check value of the CRC catalogue.
        QTest::newRow("zeros") << QByteArray(32, '\0') << 0x8a9136aau;
        QTest::newRow("ones") << QByteArray(32, '\xff') << 0x62a8ab43u;
        QTest::newRow("rising") << rising << 0x46dd794eu;
        QTest::newRow("falling") << falling << 0x113fdb5cu;
        QTest::newRow("digits") << QByteArray("123456789") << 0xe3069283u;
        QTest::newRow("nothing") << QByteArray() << 0u;
    }
    void sums_are_those_of_the_standard()
    {
        QFETCH(QByteArray, bytes);
        QTEST(crc32c({bytes.constData(), static_cast<size_t>(bytes.size())}), "sum");
    }

    void a_record_is_the_one_that_tensorboards_writer_makes()
    {
        // tensorboard 2.21.0: RecordWriter.write(Event(wall_time=1.5, step=300, summary=Summary(value=[Summary.Value(
        // tag="loss", simple_value=0.25)])).SerializeToString())
        const QByteArray expected = "1b000000000000001a0d9e1309000000000000f83f10ac022a0d0a0b0a046c6f7373150000803e9908deed";
        QTemporaryDir dir;
        EventFile file(dir.path().toStdString(), 0, 1.5);
        const qsizetype before = content(file.path()).size();
        const EventFile::Scalar value{"loss", 0.25};
        file.scalars(300, {&value, 1}, 1.5);
        QCOMPARE(content(file.path()).mid(before).toHex(), expected);
    }

    void a_file_opens_with_its_version_and_where_the_run_goes_on()
    {
        QTemporaryDir dir;
        const EventFile file(dir.path().toStdString() + "/new/folder", 40, 1700000000.0);
        const auto found = messages(content(file.path()));
        QCOMPARE(found.size(), 2u);
        QVERIFY(found[0].endsWith("\x1a\x0d"
                                  "brain.Event:2"));
        QCOMPARE(found[1].right(6).toHex(), QByteArray("10283a020801"));  // step 40, session_log {status: START}
        QVERIFY(file.path().filename().string().starts_with("events.out.tfevents.1700000000."));
    }

    void every_call_leaves_whole_records()
    {
        QTemporaryDir dir;
        EventFile file(dir.path().toStdString(), 0, 2.0);
        const std::vector<EventFile::Scalar> values = {{"loss/a", 1.0}, {"rate", 1e-3}};
        for (int64_t step = 0; step < 100; ++step) {
            file.scalars(step * 1'000'003, values, 2.0);
            QCOMPARE(messages(content(file.path())).size(), static_cast<size_t>(step) + 3);
        }
        file.text(1, "recipe", std::string(100'000, 'x') + "<&>", 3.0);
        const auto all = messages(content(file.path()));
        QCOMPARE(all.size(), 103u);
        QVERIFY(all.back().contains(QByteArray(100'000, 'x')));
    }

    void two_starts_in_one_second_get_their_own_files()
    {
        QTemporaryDir dir;
        const EventFile first(dir.path().toStdString(), 0, 7.0), second(dir.path().toStdString(), 5, 7.0);
        QVERIFY(first.path() != second.path());
        QCOMPARE(QDir(dir.path()).entryList(QDir::Files).size(), 2);
    }

    void a_folder_that_cannot_be_made_is_named()
    {
        QTemporaryDir dir;
        QFile file(dir.filePath("taken"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        try {
            const EventFile events(dir.filePath("taken").toStdString() + "/events", 0, 1.0);
            QFAIL("was made");
        } catch (const Error& error) {
            QVERIFY(QString::fromStdString(error.subject()).contains("taken"));
        }
    }
};

QTEST_APPLESS_MAIN(TestEventFile)
#include "tst_event_file.moc"
