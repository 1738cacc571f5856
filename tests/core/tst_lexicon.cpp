// SPDX-License-Identifier: Apache-2.0
// What the shipped lexicon says of what people type, and what a query becomes by it.
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <fstream>
#include <numeric>

#include "core/base/error.h"
#include "core/lexicon.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;

namespace {

const Lexicon& shipped()
{
    static const Lexicon lexicon(IMPRINT_SOURCE_DIR "/resources/lexicon/nouns.tsv");
    return lexicon;
}

}  // namespace

class TestLexicon : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void a_noun_is_found_as_people_type_it_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("meant");
        QTest::newRow("as it is") << "dog"
                                  << "dog";
        QTest::newRow("with an article") << "a dog"
                                         << "dog";
        QTest::newRow("in capitals") << "The DOG"
                                     << "dog";
        QTest::newRow("with spaces around") << "  dog \n"
                                            << "dog";
        QTest::newRow("plural in s") << "dogs"
                                     << "dog";
        QTest::newRow("plural in es") << "churches"
                                      << "church";
        QTest::newRow("plural in ies") << "cherries"
                                       << "cherry";
        QTest::newRow("plural in ves") << "wolves"
                                       << "wolf";
        QTest::newRow("plural in ves of fe") << "knives"
                                             << "knife";
        QTest::newRow("irregular plural") << "women"
                                          << "woman";
        QTest::newRow("a compound's plural") << "washing machines"
                                             << "washing machine";
        QTest::newRow("a hyphen left out") << "hot air balloon"
                                           << "hot-air balloon";
        QTest::newRow("a sense in lower case before a name") << "crane"
                                                             << "crane";
        QTest::newRow("a name of one thing") << "eiffel tower"
                                             << "Eiffel Tower";
    }
    void a_noun_is_found_as_people_type_it()
    {
        QFETCH(QString, typed);
        QFETCH(QString, meant);
        const std::string_view gloss = shipped().gloss(typed.toStdString());
        QVERIFY2(gloss.starts_with(meant.toStdString() + ": "), std::string(gloss).c_str());
    }

    void what_names_no_single_thing_has_no_gloss_data()
    {
        QTest::addColumn<QString>("typed");
        for (const char* typed : {"", " ", "a ", "qwlkfj", "a dog on the beach", "dog\tdog", "s", "\xff\xfe", "собака"})
            QTest::newRow(qPrintable(QString("'%1'").arg(typed))) << QString(typed);
    }
    void what_names_no_single_thing_has_no_gloss()
    {
        QFETCH(QString, typed);
        QVERIFY(shipped().gloss(typed.toStdString()).empty());
    }

    void a_query_leans_to_its_meaning_and_keeps_its_length()
    {
        const QTemporaryDir folder;
        Encoder encoder(tests::make_tiny_checkpoint(folder.path().toStdString()), {"cpu", "fp32", 1});
        const std::vector<std::string> asked = {"a dog", "two of them at night", "cats"};
        const Vectors plain = encoder.encode_texts(asked), told = encode_queries(encoder, shipped(), asked);
        QCOMPARE(told.count(), 3);
        const Vectors meanings = encoder.encode_texts(
            std::vector<std::string>{std::string(shipped().gloss("dog")), std::string(shipped().gloss("cat"))});
        const auto row_of = [](const Vectors& vectors, int row) {
            return std::vector<float>(vectors.row(row).begin(), vectors.row(row).end());
        };
        QCOMPARE(row_of(told, 1), row_of(plain, 1));  // nothing to tell
        for (const auto& [query, meaning] : {std::pair(0, 0), std::pair(2, 1)}) {
            std::vector<double> wanted(static_cast<size_t>(plain.dim));
            double squares = 0;
            for (size_t d = 0; d < wanted.size(); ++d) {
                wanted[d] = plain.row(query)[d] + 0.3 * meanings.row(meaning)[d];
                squares += wanted[d] * wanted[d];
            }
            for (size_t d = 0; d < wanted.size(); ++d)
                QVERIFY(std::abs(told.row(query)[d] - wanted[d] / std::sqrt(squares)) < 1e-6);
        }
    }

    void nothing_asked_is_nothing_told()
    {
        const QTemporaryDir folder;
        Encoder encoder(tests::make_tiny_checkpoint(folder.path().toStdString()), {"cpu", "fp32", 1});
        QCOMPARE(encode_queries(encoder, shipped(), {}).count(), 0);
    }

    void a_damaged_list_is_refused_with_its_line_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("line");
        QTest::newRow("no tab") << QByteArray("ant\tant: small\nbee\n") << 2;
        QTest::newRow("no word") << QByteArray("\tant: small\n") << 1;
        QTest::newRow("no gloss") << QByteArray("ant\tant: small\nbee\t\n") << 2;
        QTest::newRow("an empty line") << QByteArray("ant\tant: small\n\nbee\tbee: flies\n") << 2;
        QTest::newRow("out of order") << QByteArray("bee\tbee: flies\nant\tant: small\n") << 2;
        QTest::newRow("a word twice") << QByteArray("ant\tant: small\nant\tant: large\n") << 2;
    }
    void a_damaged_list_is_refused_with_its_line()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(int, line);
        const QTemporaryDir folder;
        const std::string file = folder.filePath("nouns.tsv").toStdString();
        std::ofstream(file, std::ios::binary).write(bytes.constData(), bytes.size());
        try {
            Lexicon lexicon(file);
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
            QCOMPARE(error.subject(), file + ":" + std::to_string(line));
        }
    }

    void a_missing_list_is_named()
    {
        try {
            Lexicon lexicon("/nowhere/nouns.tsv");
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::NotFound);
            QCOMPARE(error.subject(), std::string("/nowhere/nouns.tsv"));
        }
    }
};

QTEST_APPLESS_MAIN(TestLexicon)
#include "tst_lexicon.moc"
