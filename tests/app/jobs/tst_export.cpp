// SPDX-License-Identifier: Apache-2.0
// What is exported is what a reader of the format reads: every field comes back, whatever a file is called.
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMap>
#include <QRegularExpression>
#include <QTest>
#include <QUrl>
#include <QXmlStreamReader>
#include <array>
#include <sstream>

#include "app/jobs/export.h"
#include "core/base/error.h"

using namespace imprint;
using namespace imprint::jobs;

namespace {

QByteArray written(ExportFormat format, const std::vector<ExportRow>& rows, const ExportOptions& options = {})
{
    std::ostringstream out;
    write_export(out, format, rows, options);
    return QByteArray::fromStdString(out.str());
}

ExportRow row(const std::string& path, media::Kind kind = media::Kind::Video, std::optional<double> start = 1.5,
              std::optional<double> end = 4.0)
{
    return {.path = path,
            .kind = kind,
            .start = start,
            .end = end,
            .duration = 60,
            .width = 640,
            .height = 480,
            .modality = "picture",
            .score = 3.25f,
            .band = "maybe",
            .labels = {},
            .stars = 0};
}

/// RFC 4180, to the letter: nothing is repaired.
std::vector<QStringList> read_csv(const QString& text)
{
    std::vector<QStringList> records;
    QStringList record;
    for (qsizetype i = 0; i < text.size();) {
        QString field;
        if (text[i] == '"') {
            for (++i; i < text.size() && !(text[i] == '"' && (i + 1 == text.size() || text[i + 1] != '"')); ++i) {
                i += text[i] == '"' ? 1 : 0;
                field += text[i];
            }
            ++i;
        } else {
            for (; i < text.size() && text[i] != ',' && text[i] != '\r'; ++i)
                field += text[i] == '"' || text[i] == '\n' ? QChar(0) : text[i];
        }
        record << field;
        if (i < text.size() && text[i] == ',') {
            ++i;
        } else {
            if (text.mid(i, 2) != "\r\n")
                return {};
            i += 2;
            records.push_back(std::exchange(record, {}));
        }
    }
    return records;
}

int64_t frames_of(const QString& time_code, int rate)
{
    const QStringList parts = time_code.split(':');
    return ((parts[0].toLongLong() * 60 + parts[1].toLongLong()) * 60 + parts[2].toLongLong()) * rate + parts[3].toLongLong();
}

/// "N/Ds" or "Ns" as seconds; less than 0 for anything else.
double seconds_of(const QString& text)
{
    static const QRegularExpression form("^(\\d+)(?:/(\\d+))?s$");
    const auto match = form.match(text);
    return !match.hasMatch()          ? -1
        : match.captured(2).isEmpty() ? match.captured(1).toDouble()
                                      : match.captured(1).toDouble() / match.captured(2).toDouble();
}

}  // namespace

class TestExport : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_table_comes_back_as_it_was_data();
    void a_table_comes_back_as_it_was();
    void json_lines_keep_the_bytes_of_a_name();
    void cuts_follow_one_another_in_an_edit_decision_list_data();
    void cuts_follow_one_another_in_an_edit_decision_list();
    void final_cut_gets_what_its_dtd_asks_for();
    void only_moments_of_videos_are_cut_data();
    void only_moments_of_videos_are_cut();
    void an_edit_decision_list_has_its_limit();
    void hits_become_a_row_for_each_moment();
    void formats_have_names();
};

void TestExport::a_table_comes_back_as_it_was_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("label");
    QTest::newRow("plain") << "/m/a.mp4"
                           << "dog";
    QTest::newRow("comma") << "/m/a, b.mp4"
                           << "cats, dogs";
    QTest::newRow("quotes") << "/m/\"a\".mp4"
                            << "\"";
    QTest::newRow("new line") << "/m/a\nb\r.mp4"
                              << "two\nlines";
    QTest::newRow("other scripts") << QString::fromUtf8("/m/картина €.mp4") << QString::fromUtf8("犬");
    QTest::newRow("looks like a formula") << "/m/=1+1.mp4"
                                          << "=cmd";
}

void TestExport::a_table_comes_back_as_it_was()
{
    QFETCH(QString, path);
    QFETCH(QString, label);
    ExportRow one = row(path.toStdString()), still = row("/m/still.png", media::Kind::Image, {}, {});
    one.labels = {label.toStdString(), "second"};
    one.start = 1.0 / 3;
    still.score.reset();
    still.band.clear();
    still.modality.clear();
    still.stars = 5;
    const auto records = read_csv(QString::fromUtf8(written(ExportFormat::Csv, {one, still})));
    QCOMPARE(records.size(), size_t(3));
    QCOMPARE(records[0], QString("path,kind,start,end,modality,score,band,labels,stars").split(','));
    QCOMPARE(records[1][0], path);
    QCOMPARE(records[1][2].toDouble(), 1.0 / 3);
    QCOMPARE(records[1].mid(3), (QStringList{"4.0", "picture", "3.25", "maybe", label + ";second", "0"}));
    QCOMPARE(records[2], (QStringList{"/m/still.png", "image", "", "", "", "", "", "", "5"}));

    const QList<QByteArray> lines = written(ExportFormat::JsonLines, {one, still}).split('\n');
    QCOMPARE(lines.size(), 3);
    QVERIFY(lines[2].isEmpty());
    const QJsonObject first = QJsonDocument::fromJson(lines[0]).object(), second = QJsonDocument::fromJson(lines[1]).object();
    QCOMPARE(first["path"].toString(), path);
    QCOMPARE(first["start"].toDouble(), 1.0 / 3);
    QCOMPARE(first["labels"].toArray(), (QJsonArray{label, "second"}));
    QVERIFY(second["start"].isNull() && second["score"].isNull() && second["labels"].toArray().isEmpty());
    QCOMPARE(second["stars"].toInt(), 5);
}

void TestExport::json_lines_keep_the_bytes_of_a_name()
{
    const std::string bytes = "/m/caf\xe9.mp4";
    const QByteArray line = written(ExportFormat::JsonLines, {row(bytes)});
    const QJsonObject item = QJsonDocument::fromJson(line).object();
    QVERIFY(item["path"].toString().contains(QChar(0xfffd)));
    QCOMPARE(QByteArray::fromBase64(item["path_bytes"].toString().toLatin1()), QByteArray::fromStdString(bytes));
    QVERIFY(QString::fromUtf8(written(ExportFormat::Csv, {row(bytes)})).contains(QChar(0xfffd)));
}

void TestExport::cuts_follow_one_another_in_an_edit_decision_list_data()
{
    QTest::addColumn<int>("rate");
    for (const int rate : {24, 25, 30, 60})
        QTest::addRow("%d", rate) << rate;
}

void TestExport::cuts_follow_one_another_in_an_edit_decision_list()
{
    QFETCH(int, rate);
    // In frames: what lies on a frame comes back as it was, all else on the nearest one.
    const std::vector<std::array<int64_t, 2>> wanted{{37, 100}, {3600 * rate - 1, 3661 * rate + 7}, {0, 1}, {50, 61}};
    const std::vector<std::array<double, 2>> off{{0, 0}, {0, 0}, {0, -0.98}, {0.4, -0.4}};
    std::vector<ExportRow> rows;
    for (size_t i = 0; i < wanted.size(); ++i)
        rows.push_back(row(i == 1 ? "/m/b\nTITLE: c.mp4" : "/m/a.mp4", media::Kind::Video,
                           (static_cast<double>(wanted[i][0]) + off[i][0]) / rate,
                           (static_cast<double>(wanted[i][1]) + off[i][1]) / rate));
    const QStringList lines =
        QString::fromUtf8(written(ExportFormat::Edl, rows, {.title = "Dogs", .frame_rate = rate})).split("\r\n");
    QCOMPARE(lines[0], QString("TITLE: Dogs"));
    QCOMPARE(lines[1], QString("FCM: NON-DROP FRAME"));
    static const QRegularExpression event(
        "^(\\d{3})  (\\w{1,8}) +(V|A) +C +(\\d\\d:\\d\\d:\\d\\d:\\d\\d) (\\d\\d:\\d\\d:\\d\\d:\\d\\d) "
        "(\\d\\d:\\d\\d:\\d\\d:\\d\\d) (\\d\\d:\\d\\d:\\d\\d:\\d\\d)$");
    int64_t at = 0;
    size_t events = 0;
    QStringList clips;
    for (const QString& line : lines) {
        if (line.startsWith("* FROM CLIP NAME: "))
            clips << line.mid(18);
        const auto match = event.match(line);
        if (!match.hasMatch())
            continue;
        QVERIFY(events < wanted.size());
        const auto [first, end] = wanted[events++];
        QCOMPARE(match.captured(1).toInt(), static_cast<int>(events));
        int64_t frames[4];
        for (int i = 0; i < 4; ++i)
            frames[i] = frames_of(match.captured(4 + i), rate);
        QCOMPARE(frames[0], first);
        QCOMPARE(frames[1], end);
        QCOMPARE(frames[2], at);
        QCOMPARE(frames[3] - frames[2], frames[1] - frames[0]);
        at = frames[3];
    }
    QCOMPARE(events, rows.size());
    QCOMPARE(clips, (QStringList{"a.mp4", "b TITLE: c.mp4", "a.mp4", "a.mp4"}));
    QCOMPARE(lines.filter(QRegularExpression("^TITLE:")).size(), 1);
}

void TestExport::final_cut_gets_what_its_dtd_asks_for()
{
    ExportRow odd = row("/m/A & B <\"1\"> \xe9.mp4", media::Kind::Video, 2, 5);
    odd.labels = {"R&B", "big party"};
    const std::vector<ExportRow> rows{row("/m/a.mp4", media::Kind::Video, 1.52, 4.04), odd,
                                      row("/m/a.mp4", media::Kind::Video, 10, 12)};
    const QByteArray document = written(ExportFormat::FcpXml, rows, {.title = "<Dogs>"});
    QVERIFY(document.contains("<!DOCTYPE fcpxml>"));
    // From the DTD: what may stand in what, and what must be said of it.
    const QMap<QString, QStringList> parents{{"fcpxml", {""}},          {"resources", {"fcpxml"}},  {"format", {"resources"}},
                                             {"asset", {"resources"}},  {"library", {"fcpxml"}},    {"event", {"library"}},
                                             {"project", {"event"}},    {"sequence", {"project"}},  {"spine", {"sequence"}},
                                             {"asset-clip", {"spine"}}, {"keyword", {"asset-clip"}}};
    const QMap<QString, QStringList> required{{"fcpxml", {"version"}},  {"format", {"id"}},      {"asset", {"id", "src"}},
                                              {"sequence", {"format"}}, {"asset-clip", {"ref"}}, {"keyword", {"value"}}};
    QXmlStreamReader xml(document);
    QStringList open{""}, ids, names, keywords;
    QMap<QString, QByteArray> sources;
    double at = 0, total = -1;
    size_t clips = 0;
    while (!xml.atEnd()) {
        const auto token = xml.readNext();
        if (token == QXmlStreamReader::EndElement)
            open.removeLast();
        if (token != QXmlStreamReader::StartElement)
            continue;
        const QString name = xml.name().toString();
        const auto attributes = xml.attributes();
        QVERIFY2(parents.value(name).contains(open.last()), qPrintable(name + " in " + open.last()));
        for (const QString& needed : required.value(name))
            QVERIFY2(attributes.hasAttribute(needed), qPrintable(name + " without " + needed));
        for (const char* time : {"start", "duration", "offset", "frameDuration", "tcStart"})
            if (attributes.hasAttribute(time))
                QVERIFY2(seconds_of(attributes.value(time).toString()) >= 0, time);
        if (attributes.hasAttribute("id"))
            ids << attributes.value("id").toString();
        if (name == "asset")
            sources[attributes.value("id").toString()] =
                QByteArray::fromPercentEncoding(attributes.value("src").toLatin1().mid(static_cast<int>(strlen("file://"))));
        if (name == "sequence")
            total = seconds_of(attributes.value("duration").toString());
        if (name == "keyword")
            keywords << attributes.value("value").toString();
        if (name == "asset-clip") {
            const ExportRow& cut = rows[clips++];
            QCOMPARE(sources.value(attributes.value("ref").toString()), QByteArray::fromStdString(cut.path.native()));
            QCOMPARE(seconds_of(attributes.value("offset").toString()), at);
            QCOMPARE(seconds_of(attributes.value("start").toString()), *cut.start);  // all lie on frames
            QCOMPARE(seconds_of(attributes.value("duration").toString()), *cut.end - *cut.start);
            at += seconds_of(attributes.value("duration").toString());
            names << attributes.value("name").toString();
        }
        open << name;
    }
    QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
    QCOMPARE(clips, rows.size());
    QCOMPARE(total, at);
    QCOMPARE(sources.size(), 2);
    QCOMPARE(QSet<QString>(ids.begin(), ids.end()).size(), ids.size());
    QCOMPARE(keywords, (QStringList{"R&B", "big party"}));
    QVERIFY(names[1].startsWith("A & B <\"1\"> "));
}

void TestExport::only_moments_of_videos_are_cut_data()
{
    QTest::addColumn<bool>("fcpxml");
    QTest::newRow("edl") << false;
    QTest::newRow("fcpxml") << true;
}

void TestExport::only_moments_of_videos_are_cut()
{
    QFETCH(bool, fcpxml);
    const ExportFormat format = fcpxml ? ExportFormat::FcpXml : ExportFormat::Edl;
    const ExportRow still = row("/m/still.png", media::Kind::Image, {}, {}), sound = row("/m/sound.wav", media::Kind::Audio);
    const QByteArray document = written(format, {still, row("/m/film.mp4"), sound});
    QVERIFY(document.contains("film.mp4") && !document.contains("still.png") && !document.contains("sound.wav"));
    QVERIFY_THROWS_EXCEPTION(Error, written(format, {still, sound}));
    QVERIFY_THROWS_EXCEPTION(Error, written(format, {}));
}

void TestExport::an_edit_decision_list_has_its_limit()
{
    std::vector<ExportRow> rows(999, row("/m/a.mp4"));
    QVERIFY(written(ExportFormat::Edl, rows).contains("\r\n999  "));
    rows.push_back(rows.front());
    try {
        written(ExportFormat::Edl, rows);
        QFAIL("no error was thrown");
    } catch (const Error& error) {
        QVERIFY(error.kind() == ErrorKind::LimitExceeded);
    }
    QVERIFY(!written(ExportFormat::FcpXml, rows).isEmpty());
}

void TestExport::hits_become_a_row_for_each_moment()
{
    index::FileHit film;
    film.path = "/m/film.mp4";
    film.probe.kind = media::Kind::Video;
    film.moments = {{{Modality::Picture, 5, 10}, 4.5f, index::Band::Likely},
                    {{Modality::Sound, 20, 25}, 2.5f, index::Band::Maybe}};
    film.labels = {{"whole", {}, {}, false}, {"early", 0, 6, false}, {"late", 24, 30, false}};
    const std::vector<ExportRow> rows = export_rows(std::vector<index::FileHit>{film});
    QCOMPARE(rows.size(), size_t(2));
    QCOMPARE(rows[0].modality, std::string("picture"));
    QCOMPARE(rows[1].band, std::string("maybe"));
    QVERIFY(rows[0].labels == (std::vector<std::string>{"whole", "early"}));
    QVERIFY(rows[1].labels == (std::vector<std::string>{"whole", "late"}));
}

void TestExport::formats_have_names()
{
    for (const char* name : {"csv", "jsonl", "edl", "fcpxml"})
        QVERIFY(export_format(name));
    QVERIFY(!export_format("") && !export_format("CSV") && !export_format("xlsx"));
}

QTEST_APPLESS_MAIN(TestExport)
#include "tst_export.moc"
