// SPDX-License-Identifier: Apache-2.0
// What is typed, dropped and pasted becomes parts of a question.
#include <QApplication>
#include <QClipboard>
#include <QDropEvent>
#include <QMimeData>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/paths.h"
#include "app/gui/query_box.h"
#include "tests/app/gui/gui_fixture.h"

using namespace imprint;
using namespace imprint::gui;

namespace {

QString told(const std::vector<jobs::QueryPart>& parts)
{
    QStringList out;
    for (const auto& part : parts)
        out << QStringLiteral("%1 %2")
                   .arg(part.file.empty() ? QString::fromStdString(part.text) : shown_name(part.file))
                   .arg(part.weight);
    return out.join(" | ");
}

}  // namespace

class QueryBoxTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    std::unique_ptr<Theme> theme_;
    std::unique_ptr<Thumbnails> thumbnails_;

private Q_SLOTS:
    void initTestCase()
    {
        theme_ = std::make_unique<Theme>(*qApp, ThemeMode::Light);
        thumbnails_ = std::make_unique<Thumbnails>(std::make_shared<media::Decoder>(tests::decoder_options()));
    }
    void cleanupTestCase() { thumbnails_.reset(); }

    void typing_makes_parts_and_enter_makes_chips_of_them_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<QString>("parts");
        QTest::addColumn<QStringList>("chips");
        QTest::newRow("words are one phrase") << "a ship at sea"
                                              << "a ship at sea 1" << QStringList{"a ship at sea"};
        QTest::newRow("minus") << "harbour -people"
                               << "harbour 1 | people -0.6" << QStringList{"harbour", "− people"};
        QTest::newRow("plus and weight") << "+boat*2 +gull*0.5"
                                         << "boat 2 | gull 0.5" << QStringList{"boat ×2", "gull ×0.5"};
        QTest::newRow("quoted minus") << "dog -\"a red ball\""
                                      << "dog 1 | a red ball -0.6" << QStringList{"dog", "− “a red ball”"};
        QTest::newRow("not ASCII") << "café -été"
                                   << "café 1 | été -0.6" << QStringList{"café", "− été"};
    }
    void typing_makes_parts_and_enter_makes_chips_of_them()
    {
        QFETCH(QString, typed);
        QueryBox box(*theme_, *thumbnails_);
        QSignalSpy edited(&box, &QueryBox::edited), submitted(&box, &QueryBox::submitted);
        QTest::keyClicks(&box.line(), typed.left(1));
        QCOMPARE(edited.count(), 1);
        box.set_typed(typed);
        QTEST(told(box.parts()), "parts");
        QTest::keyClick(&box.line(), Qt::Key_Return);
        QCOMPARE(submitted.count(), 1);
        QVERIFY(box.line().text().isEmpty());
        QTEST(told(box.parts()), "parts");
        QStringList labels;
        for (const Chip* chip : box.chips())
            labels << chip->label();
        QTEST(labels, "chips");
    }

    void words_are_taken_as_they_stand_when_quoted_or_told_to()
    {
        QueryBox box(*theme_, *thumbnails_);
        box.set_typed("\"elefant\" harbor");
        QVERIFY(box.parts()[0].literal && !box.parts()[1].literal);
        box.add({{}, "/m/pier.jpg", {}, {}, 1.0});
        QSignalSpy edited(&box, &QueryBox::edited);
        box.take_literally();
        QCOMPARE(edited.count(), 1);
        QStringList labels;
        for (const Chip* chip : box.chips()) {
            labels << chip->label();
            QCOMPARE(chip->part().literal, is_words(chip->part()));
        }
        QCOMPARE(labels, QStringList({"pier.jpg", "“elefant”", "“harbor”"}));
        QCOMPARE(typed_form(box.chips()[1]->part()), QStringLiteral("\"elefant\""));
    }

    void half_typed_weights_wait_and_say_why()
    {
        QueryBox box(*theme_, *thumbnails_);
        box.set_typed("dog*0");
        QVERIFY(box.parts().empty());
        QVERIFY(!box.line().toolTip().isEmpty());
        box.set_typed("dog*0.5");
        QCOMPARE(told(box.parts()), QStringLiteral("dog 0.5"));
        QVERIFY(box.line().toolTip().isEmpty());
    }

    void a_chip_obeys_the_keyboard()
    {
        QueryBox box(*theme_, *thumbnails_);
        box.add({"gull", {}, {}, {}, 1.0});
        Chip* chip = box.chips().front();
        QTest::keyClick(chip, Qt::Key_Minus);
        QCOMPARE(chip->part().weight, -jobs::kNotWeight);
        QCOMPARE(chip->accessibleName(), QStringLiteral("Without gull"));
        QTest::keyClick(chip, Qt::Key_Up);
        QCOMPARE(chip->part().weight, -2 * jobs::kNotWeight);
        QTest::keyClick(chip, Qt::Key_Plus);
        QTest::keyClick(chip, Qt::Key_Down);
        QTest::keyClick(chip, Qt::Key_Down);
        QCOMPARE(chip->part().weight, 0.5);
        QTest::keyClick(chip, Qt::Key_Delete);
        QVERIFY(box.parts().empty());
    }

    void a_judged_answer_turns_around_and_has_no_weight()
    {
        QueryBox box(*theme_, *thumbnails_);
        jobs::QueryPart part{{}, "/m/pier.jpg", {}, {}, 1.0};
        part.role = jobs::QueryPart::Role::More;
        box.add(part);
        Chip* chip = box.chips().front();
        QCOMPARE(chip->label(), QStringLiteral("+ pier.jpg"));
        QTest::keyClick(chip, Qt::Key_Minus);
        QVERIFY(chip->part().role == jobs::QueryPart::Role::Less);
        QCOMPARE(chip->accessibleName(), QStringLiteral("Less like pier.jpg"));
        QTest::keyClick(chip, Qt::Key_Up);
        QCOMPARE(chip->part().weight, 1.0);
        QTest::keyClick(chip, Qt::Key_Plus);
        QVERIFY(chip->part().role == jobs::QueryPart::Role::More);
    }

    void a_concept_is_a_chip_of_its_name()
    {
        QueryBox box(*theme_, *thumbnails_);
        jobs::QueryPart part;
        part.concept_name = "harbour at dusk";
        box.add(part);
        QCOMPARE(box.chips().front()->label(), QStringLiteral("concept harbour at dusk"));
        QTest::keyClick(box.chips().front(), Qt::Key_F2);  // there are no words to edit
        QCOMPARE(box.parts().front().concept_name, part.concept_name);
    }

    void editing_a_chip_gives_back_what_was_typed_data()
    {
        QTest::addColumn<QString>("typed");
        for (const char* typed : {"gull", "-gull", "gull*2", "-\"two gulls\"", "\"two gulls\"*0.5", "two gulls", "-gull*2"})
            QTest::newRow(typed) << QString::fromLatin1(typed);
    }
    void editing_a_chip_gives_back_what_was_typed()
    {
        QFETCH(QString, typed);
        QueryBox box(*theme_, *thumbnails_);
        box.set_typed(typed);
        const QString parts = told(box.parts());
        box.commit();
        QTest::keyClick(box.chips().front(), Qt::Key_F2);
        QVERIFY(box.chips().empty());
        QCOMPARE(box.line().text(), typed);
        QCOMPARE(told(box.parts()), parts);
    }

    void backspace_takes_the_last_chip()
    {
        QueryBox box(*theme_, *thumbnails_);
        box.add({"one", {}, {}, {}, 1.0});
        box.add({"two", {}, {}, {}, 1.0});
        QTest::keyClick(&box.line(), Qt::Key_Backspace);
        QCOMPARE(told(box.parts()), QStringLiteral("one 1"));
    }

    void a_dropped_file_becomes_a_chip_with_its_picture()
    {
        QueryBox box(*theme_, *thumbnails_);
        box.show();
        const auto file = tests::make_picture(folder_.path(), "pier.png", Qt::blue);
        const std::unique_ptr<QMimeData> data(files_for_others({file}));
        QDragEnterEvent enter(QPoint(20, 20), Qt::CopyAction, data.get(), Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&box, &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(QPointF(20, 20), Qt::CopyAction, data.get(), Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&box, &drop);
        QCOMPARE(told(box.parts()), QStringLiteral("pier.png 1"));
        QTRY_VERIFY(box.chips().front()->property("pictured").toBool());
    }

    void a_pasted_picture_becomes_a_file_to_search_with()
    {
        QueryBox box(*theme_, *thumbnails_);
        QImage image(40, 30, QImage::Format_RGB32);
        image.fill(Qt::red);
        QApplication::clipboard()->setImage(image);
        QTest::keyClick(&box.line(), Qt::Key_V, Qt::ControlModifier);
        QCOMPARE(box.parts().size(), size_t(1));
        const QImage kept(QString::fromStdString(box.parts().front().file.native()));
        QCOMPARE(kept.size(), image.size());
        QCOMPARE(kept.pixel(5, 5), image.pixel(5, 5));
    }

    void a_clip_says_which_span_it_stands_for()
    {
        QueryBox box(*theme_, *thumbnails_);
        box.add({{}, "/m/walk.mp4", 728.0, 734.0, -jobs::kNotWeight});
        QCOMPARE(box.chips().front()->label(), QStringLiteral("− walk.mp4 12:08–12:14"));
    }
};

QTEST_MAIN(QueryBoxTest)
#include "tst_query_box.moc"
