// SPDX-License-Identifier: Apache-2.0
// What people type, and what it means.
#include <QTemporaryDir>
#include <QTest>

#include "app/jobs/jobs.h"
#include "core/base/error.h"

using namespace imprint;
using namespace imprint::jobs;

namespace {

QString text_of(const std::vector<QueryPart>& parts)
{
    QStringList list;
    for (const QueryPart& part : parts)
        list << QString("%1*%2").arg(QString::fromStdString(part.text)).arg(part.weight);
    return list.join(" | ");
}

template <typename F>
bool is_usage_error(F action)
{
    try {
        action();
    } catch (const Error& error) {
        return error.kind() == ErrorKind::Usage;
    }
    return false;
}

}  // namespace

class TestParseQuery : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void the_one_box_takes_signs_quotes_and_weights_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("parts");
        QTest::newRow("nothing") << ""
                                 << "";
        QTest::newRow("blanks") << "  \t"
                                << "";
        QTest::newRow("bare words are one phrase") << "a dog  on grass"
                                                   << "a dog on grass*1";
        QTest::newRow("plus") << "dog +ball"
                              << "dog*1 | ball*1";
        QTest::newRow("minus") << "dog -cat"
                               << "dog*1 | cat*-0.6";
        QTest::newRow("minus with a weight") << "dog -cat*2"
                                             << "dog*1 | cat*-2";
        QTest::newRow("weight") << "dog ball*0.5"
                                << "dog*1 | ball*0.5";
        QTest::newRow("phrase") << "\"red ball\" dog"
                                << "red ball*1 | dog*1";
        QTest::newRow("phrase with a weight") << "-\"red ball\"*0.25 dog"
                                              << "red ball*-0.25 | dog*1";
        QTest::newRow("a phrase left open") << "\"red ball"
                                            << "red ball*1";
        QTest::newRow("words after a signed one start anew") << "dog +ball on grass"
                                                             << "dog*1 | ball*1 | on grass*1";
        QTest::newRow("a hyphen inside a word") << "t-shirt"
                                                << "t-shirt*1";
        QTest::newRow("a lone sign is a word") << "salt - pepper"
                                               << "salt - pepper*1";
        QTest::newRow("a star that is no weight") << "ab*cd"
                                                  << "ab*cd*1";
        QTest::newRow("other scripts") << "собака -кот"
                                       << "собака*1 | кот*-0.6";
    }
    void the_one_box_takes_signs_quotes_and_weights()
    {
        QFETCH(QString, typed);
        QTEST(text_of(parse_query(typed.toStdString())), "parts");
    }

    void what_is_quoted_is_literal()
    {
        const std::vector<QueryPart> parts = parse_query("dog \"red ball\"*2 -\"elefant\" +cat");
        QCOMPARE(parts.size(), size_t(4));
        for (size_t i = 0; i < parts.size(); ++i)
            QCOMPARE(parts[i].literal, i == 1 || i == 2);
    }

    void arguments_are_phrases_or_parts_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("parts");
        QTest::newRow("bare words") << QStringList{"a", "dog"} << "a dog*1";
        QTest::newRow("quoted phrases") << QStringList{"a dog", "a ball*0.5"} << "a dog*1 | a ball*0.5";
        QTest::newRow("words around a phrase")
            << QStringList{"a", "dog", "red ball", "grass"} << "a dog*1 | red ball*1 | grass*1";
        QTest::newRow("words with a weight") << QStringList{"dog*2", "ball"} << "dog*2 | ball*1";
        QTest::newRow("a sign means nothing here") << QStringList{"+1", "-"} << "+1 -*1";
    }
    void arguments_are_phrases_or_parts()
    {
        QFETCH(QStringList, arguments);
        std::vector<std::string> list;
        for (const QString& argument : arguments)
            list.push_back(argument.toStdString());
        QTEST(text_of(parse_words(list)), "parts");
    }

    void files_come_with_spans_and_weights_data()
    {
        QTest::addColumn<QString>("argument");
        QTest::addColumn<QString>("file");
        QTest::addColumn<double>("from");  // below 0: none
        QTest::addColumn<double>("to");
        QTest::addColumn<double>("weight");
        QTest::newRow("plain") << "there.mp4"
                               << "there.mp4" << -1.0 << -1.0 << 1.0;
        QTest::newRow("weight") << "there.mp4*2"
                                << "there.mp4" << -1.0 << -1.0 << 2.0;
        QTest::newRow("span") << "there.mp4@3-7.5"
                              << "there.mp4" << 3.0 << 7.5 << 1.0;
        QTest::newRow("clock") << "there.mp4@1:05-1:00:10*0.5"
                               << "there.mp4" << 65.0 << 3610.0 << 0.5;
        QTest::newRow("a name that looks like a span") << "odd@1-2"
                                                       << "odd@1-2" << -1.0 << -1.0 << 1.0;
        QTest::newRow("and a span on it") << "odd@1-2@3-4"
                                          << "odd@1-2" << 3.0 << 4.0 << 1.0;
        QTest::newRow("a name that looks like a weight") << "odd*3"
                                                         << "odd*3" << -1.0 << -1.0 << 1.0;
        QTest::newRow("an address is no span") << "me@home.jpg"
                                               << "me@home.jpg" << -1.0 << -1.0 << 1.0;
    }
    void files_come_with_spans_and_weights()
    {
        QTemporaryDir folder;
        for (const char* name : {"there.mp4", "odd@1-2", "odd*3"}) {
            QFile file(folder.filePath(name));
            QVERIFY(file.open(QIODevice::WriteOnly));
        }
        QFETCH(QString, argument);
        QFETCH(double, from);
        QFETCH(double, to);
        const QueryPart part = parse_file_part(folder.filePath(argument).toStdString());
        QTEST(QFile::decodeName(part.file.filename().c_str()), "file");
        QCOMPARE(part.from.value_or(-1), from);
        QCOMPARE(part.to.value_or(-1), to);
        QTEST(part.weight, "weight");
    }

    void nonsense_is_a_usage_error()
    {
        QVERIFY(is_usage_error([] { parse_words({""}); }));
        QVERIFY(is_usage_error([] { parse_words({"  "}); }));
        QVERIFY(is_usage_error([] { parse_words({"dog*0"}); }));
        QVERIFY(is_usage_error([] { parse_query("dog*-1"); }));
        QVERIFY(is_usage_error([] { parse_file_part("missing.mp4@7-3"); }));
        QVERIFY(is_usage_error([] { parse_file_part(""); }));
        for (const char* date : {"", "yesterday", "2024-13", "2024-02-31", "2024-05-01x"})
            QVERIFY2(is_usage_error([&] { parse_date(date); }), date);
    }

    void dates_begin_where_they_say_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QDateTime>("start");
        QTest::newRow("day") << "2024-05-31" << QDateTime(QDate(2024, 5, 31), QTime(0, 0));
        QTest::newRow("month") << "2024-02" << QDateTime(QDate(2024, 2, 1), QTime(0, 0));
        QTest::newRow("year") << "1999" << QDateTime(QDate(1999, 1, 1), QTime(0, 0));
    }
    void dates_begin_where_they_say()
    {
        QFETCH(QString, text);
        QFETCH(QDateTime, start);
        QCOMPARE(qint64(parse_date(text.toStdString())), start.toSecsSinceEpoch());
    }
};

QTEST_GUILESS_MAIN(TestParseQuery)
#include "tst_parse_query.moc"
