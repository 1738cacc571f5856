// SPDX-License-Identifier: Apache-2.0
// Both schemes: readable text, no token left in the style sheet, every icon drawable.
#include <QApplication>
#include <QDir>
#include <QTest>

#include "app/gui/icons.h"
#include "app/gui/theme.h"

using namespace imprint::gui;

class ThemeTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void text_has_a_contrast_of_at_least_four_and_a_half_data()
    {
        QTest::addColumn<QColor>("text");
        QTest::addColumn<QColor>("ground");
        for (const Palette& p : {light_palette(), dark_palette()}) {
            const char* scheme = p.dark ? "dark" : "light";
            QTest::addRow("%s ink on background", scheme) << p.ink << p.background;
            QTest::addRow("%s ink on panel", scheme) << p.ink << p.panel;
            QTest::addRow("%s dim on background", scheme) << p.dim << p.background;
            QTest::addRow("%s dim on panel", scheme) << p.dim << p.panel;
            QTest::addRow("%s accent on its soft ground", scheme) << p.accent_text << p.accent_soft;
            QTest::addRow("%s text on accent", scheme) << p.on_accent << p.accent;
        }
    }
    void text_has_a_contrast_of_at_least_four_and_a_half()
    {
        QFETCH(QColor, text);
        QFETCH(QColor, ground);
        const double ratio = contrast(text, ground);
        QVERIFY2(ratio >= 4.5, qPrintable(QString::number(ratio)));
    }

    void the_style_sheet_has_no_token_left()
    {
        const QString sheet = style_sheet(dark_palette(), "Inter");
        QVERIFY(sheet.size() > 1000);
        QVERIFY2(!sheet.contains('@'), qPrintable(sheet.mid(sheet.indexOf('@'), 40)));
    }

    void switching_recolours_everything()
    {
        Theme theme(*qApp, ThemeMode::Light);
        QCOMPARE(theme.colours().background, QColor("#F6F7F9"));
        const QString before = qApp->styleSheet();
        theme.set_mode(ThemeMode::Dark);
        QCOMPARE(theme.colours().background, QColor("#101216"));
        QCOMPARE(qApp->palette().color(QPalette::Window), QColor("#101216"));
        QVERIFY(qApp->styleSheet() != before);
    }

    void every_icon_draws_in_the_colour_it_is_given()
    {
        const QStringList names = QDir(":/icons").entryList({"*.svg"});
        QVERIFY(names.size() > 15);
        for (const QString& name : names) {
            const QImage image = icon_pixmap(name.chopped(4), Qt::red, 24, 2).toImage();
            bool drawn = false, other = false;
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x) {
                    const QColor c = image.pixelColor(x, y);
                    drawn |= c.alpha() > 128;
                    other |= c.alpha() > 250 && (c.green() > 40 || c.blue() > 40);
                }
            QVERIFY2(drawn, qPrintable(name));
            if (name != "imprint.svg")
                QVERIFY2(!other, qPrintable(name));
        }
    }
};

QTEST_MAIN(ThemeTest)
#include "tst_theme.moc"
