// SPDX-License-Identifier: Apache-2.0
// The window speaks the system's language where there is a translation, and every translation is whole.
#include <QCoreApplication>
#include <QFile>
#include <QRegularExpression>
#include <QTest>
#include <QXmlStreamReader>

#include "app/gui/figures.h"
#include "app/gui/language.h"

using namespace imprint::gui;

namespace {

QStringList placeholders(const QString& text)
{
    static const QRegularExpression pattern(QStringLiteral("%[0-9]"));
    QStringList found;
    for (auto match = pattern.globalMatch(text); match.hasNext();)
        found << match.next().captured();
    found.sort();
    return found;
}

QString word() { return QCoreApplication::translate("imprint::gui::StatusStrip", "Ready"); }

}  // namespace

class LanguageTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_string_is_translated_with_its_places()
    {
        QFile file(QStringLiteral(IMPRINT_SOURCE_DIR "/resources/translations/imprint_de.ts"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QXmlStreamReader reader(&file);
        QString source;
        int strings = 0;
        while (!reader.atEnd()) {
            if (reader.readNext() != QXmlStreamReader::StartElement)
                continue;
            if (reader.name() == QLatin1String("source")) {
                source = reader.readElementText();
            } else if (reader.name() == QLatin1String("translation")) {
                QVERIFY2(!reader.attributes().hasAttribute("type"), qPrintable(source));
                const QString text = reader.readElementText();
                QVERIFY2(!text.trimmed().isEmpty(), qPrintable(source));
                QVERIFY2(placeholders(text) == placeholders(source), qPrintable(source));
                ++strings;
            }
        }
        QVERIFY2(!reader.hasError(), qPrintable(reader.errorString()));
        QVERIFY(strings > 300);
    }

    void a_language_holds_while_it_lives()
    {
        QCOMPARE(word(), QStringLiteral("Ready"));
        {
            const Language german(QLocale(QLocale::German, QLocale::Switzerland));
            QVERIFY(german.translated());
            QCOMPARE(word(), QStringLiteral("Bereit"));
            QCOMPARE(format_time(61), QStringLiteral("1:01"));
        }
        QCOMPARE(word(), QStringLiteral("Ready"));
        {
            const Language german(QLocale(QLocale::German, QLocale::Germany));
            QCOMPARE(format_count(18204), QStringLiteral("18.204"));
        }
        QCOMPARE(format_count(18204), QStringLiteral("18,204"));
    }

    void who_reads_english_or_what_nobody_translated_gets_english_data()
    {
        QTest::addColumn<QLocale>("locale");
        QTest::newRow("English") << QLocale(QLocale::English, QLocale::UnitedKingdom);
        QTest::newRow("C") << QLocale::c();
        QTest::newRow("Finnish") << QLocale(QLocale::Finnish);
    }
    void who_reads_english_or_what_nobody_translated_gets_english()
    {
        QFETCH(QLocale, locale);
        const Language language(locale);
        QVERIFY(!language.translated());
        QCOMPARE(word(), QStringLiteral("Ready"));
        QCOMPARE(format_count(18204), QStringLiteral("18,204"));
    }
};

QTEST_MAIN(LanguageTest)
#include "tst_language.moc"
