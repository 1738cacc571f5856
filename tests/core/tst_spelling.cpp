// SPDX-License-Identifier: Apache-2.0
// What counts as one slip of the fingers or the ear.
#include <QTest>

#include "core/spelling.h"

using namespace imprint;

Q_DECLARE_METATYPE(imprint::Slip)

class TestSpelling : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void a_slip_is_told_by_its_kind_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("known");
        QTest::addColumn<Slip>("kind");
        const auto row = [](const char* name, const char* typed, const char* known, Slip kind) {
            QTest::newRow(name) << QString(typed) << QString(known) << kind;
        };
        row("the word itself", "horse", "horse", Slip::SameSound);
        row("a letter doubled", "croccodile", "crocodile", Slip::SameSound);
        row("a doubled letter once", "girafe", "giraffe", Slip::SameSound);
        row("f for ph", "elefant", "elephant", Slip::SameSound);
        row("ph for f", "phlute", "flute", Slip::SameSound);
        row("a letter left out", "monky", "monkey", Slip::OneMore);
        row("a letter put in", "pyramide", "pyramid", Slip::OneMore);
        row("neighbours swapped", "hosre", "horse", Slip::OneMore);
        row("the last two swapped", "hores", "horse", Slip::OneMore);
        row("a letter changed", "elephamt", "elephant", Slip::Changed);
        row("the first letter changed", "wlephant", "elephant", Slip::FirstLetter);
        row("the first letter left out", "lephant", "elephant", Slip::FirstLetter);
        row("the first two swapped", "ohrse", "horse", Slip::FirstLetter);
        row("sound and one slip", "acordian", "accordion", Slip::NearSound);
        row("sound and one slip, in a short word", "zeebri", "zebra", Slip::Further);
        row("two slips", "mutorcicle", "motorcycle", Slip::Further);
        row("another word", "horse", "house", Slip::Changed);
        row("neighbours of neighbours", "heros", "horse", Slip::Further);
        row("much longer", "giraffes at night", "giraffe", Slip::Further);
        row("nothing", "", "horse", Slip::Further);
    }
    void a_slip_is_told_by_its_kind()
    {
        QFETCH(QString, typed);
        QFETCH(QString, known);
        const std::string word = typed.toStdString();
        QTEST(slip(word, sounded(word), known.toStdString()), "kind");
    }
};

QTEST_APPLESS_MAIN(TestSpelling)
#include "tst_spelling.moc"
