// SPDX-License-Identifier: Apache-2.0
// The Label page over a real library: two hundred labels are reviewed by keyboard alone, and what was said stays said.
#include <QAbstractItemModelTester>
#include <QApplication>
#include <QDir>
#include <QFile>
#include <QTest>

#include "app/gui/main_window.h"
#include "tests/support/window_library.h"

using namespace imprint;
using namespace imprint::gui;

class LabelPageTest : public QObject, tests::WindowLibrary {
    Q_OBJECT

    static constexpr int pictures = 204;

    LabelChoice choice_;

    static int reviews_of(const jobs::EngineOptions& options)
    {
        return static_cast<int>(index::LabelStore(options.library, index::OpenMode::ReadOnly).reviews("Colours").size());
    }
    /// The page with the library labelled.
    void open(MainWindow& window)
    {
        window.resize(1200, 800);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 60000);
        QTest::keyClick(&window, Qt::Key_3, Qt::ControlModifier);
        QVERIFY(window.label_page().isVisible());
        window.label_page().use_set(choice_);
        QTRY_VERIFY_WITH_TIMEOUT(window.label_page().model().run() && window.settled(), 60000);
    }

public:
    static void initMain() { qputenv("QT_MEDIA_BACKEND", "ffmpeg"); }

private Q_SLOTS:
    void initTestCase()
    {
        const QString media = folder_.filePath("media");
        QDir().mkpath(media);
        for (int i = 0; i < pictures; ++i)
            tests::make_picture(media, QStringLiteral("disc%1.png").arg(i, 3, 10, QLatin1Char('0')),
                                QColor::fromHsv(i * 359 / pictures, 220, 210), {120, 90});
        make_library(ThemeMode::Light);
        jobs::Engine engine(options_);
        QCOMPARE(jobs::index_paths(engine, {media.toStdString()}).indexed, pictures);
        QFile set(folder_.filePath("colours.toml"));
        QVERIFY(set.open(QIODevice::WriteOnly));
        set.write("name = \"Colours\"\n[[label]]\nname = \"red\"\n[[label]]\nname = \"green\"\n[[label]]\nname = \"blue\"\n");
        set.close();
        choice_ = {"Colours", folder_.filePath("colours.toml").toStdString(), true};
    }

    void an_empty_library_says_what_to_do_first()
    {
        auto options = options_;
        options.library = folder_.filePath("empty").toStdString();
        Session session(options);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        window.show_page(Page::Label);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 20000);
        QVERIFY(window.label_page().empty().isVisible());
        QVERIFY(window.label_page().empty().title().contains("folder"));
        QVERIFY(window.label_page().empty().button().isVisible());
    }

    void labelling_can_be_stopped_where_it_is_told()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.show();
        window.show_page(Page::Label);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && session.library.state().counts.files > 0, 20000);
        LabelPage& page = window.label_page();
        page.use_set(choice_);
        QVERIFY(page.empty().title().startsWith("Labelling") && page.empty().button().text() == "Stop");
        page.empty().button().click();
        QTRY_VERIFY_WITH_TIMEOUT(!session.labels.busy(), 20000);
        QCoreApplication::processEvents();
        QVERIFY(!page.model().run());
        QCOMPARE(page.empty().button().text(), QString("Choose labels"));
    }

    void two_hundred_labels_are_reviewed_by_keyboard()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        open(window);
        LabelPage& page = window.label_page();
        QAbstractItemModelTester tester(&page.model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        QCOMPARE(page.model().rowCount(), pictures);
        QVERIFY(page.view().hasFocus());
        QCOMPARE(page.view().currentIndex().row(), 0);
        QCOMPARE(page.progress(), QStringLiteral("0 of 204 reviewed"));

        std::vector<std::optional<int>> said(pictures);
        const Qt::Key keys[] = {Qt::Key_Space, Qt::Key_1, Qt::Key_2, Qt::Key_0, Qt::Key_3};
        for (int i = 0; i < 200; ++i) {
            const int row = page.view().currentIndex().row();
            QCOMPARE(row, i);
            const Qt::Key key = keys[i % 5];
            const auto answers = page.model().answers(row);
            const int expected = key == Qt::Key_Space ? page.model().accepted(row)
                : key == Qt::Key_0                    ? jobs::LabelledMoment::kNone
                                                      : answers[static_cast<size_t>(key - Qt::Key_1)].label;
            QTest::keyClick(&page.view(), key);
            QCOMPARE(page.model().moment(row).verdict, std::optional(expected));
            if (i % 40 == 20) {  // a slip is taken back, and said again
                QTest::keyClick(&page.view(), Qt::Key_Z);
                QVERIFY(!page.model().moment(row).verdict);
                QCOMPARE(page.view().currentIndex().row(), row);
                QTest::keyClick(&page.view(), Qt::Key_K);
                QTest::keyClick(&page.view(), Qt::Key_J);
                QCOMPARE(page.view().currentIndex().row(), row);
                QTest::keyClick(&page.view(), key);
            }
            said[static_cast<size_t>(row)] = expected;
        }
        QCOMPARE(page.progress(), QStringLiteral("200 of 204 reviewed"));
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 60000);
        QVERIFY(!window.notice().isVisible());
        QCOMPARE(reviews_of(options_), 200);
        QTRY_VERIFY(page.stats().accuracy().endsWith("%"));
        QCOMPARE(jobs::review_state(*page.model().run()).reviewed, 200);
        QVERIFY(page.stats().counts().count() == 4);

        // Undo goes back through what was said, also over what was said before.
        QTest::keyClick(&page.view(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && reviews_of(options_) == 199, 20000);
        QTest::keyClick(&page.view(), Qt::Key_1);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && reviews_of(options_) == 200, 20000);
    }

    void what_was_said_is_there_the_next_time()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        open(window);
        LabelPage& page = window.label_page();
        QCOMPARE(jobs::review_state(*page.model().run()).reviewed, 200);
        QCOMPARE(page.model().rowCount(), 4);  // the queue holds what is left
        auto* show = page.findChild<Segmented*>();
        QVERIFY(show);
        show->choose(1);
        Q_EMIT show->chosen_changed(1);
        QCOMPARE(page.model().rowCount(), 200);
        show->choose(2);
        Q_EMIT show->chosen_changed(2);
        QCOMPARE(page.model().rowCount(), pictures);
    }

    void a_verdict_that_cannot_be_kept_is_taken_back_and_told()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        open(window);
        LabelPage& page = window.label_page();
        const index::Library other(options_.library, index::OpenMode::ReadWrite);
        const int before = reviews_of(options_);
        QTest::keyClick(&page.view(), Qt::Key_1);
        QTRY_VERIFY_WITH_TIMEOUT(window.notice().isVisible(), 20000);
        QCOMPARE(window.notice().problem().kind.value(), ErrorKind::Busy);
        QTRY_VERIFY(!page.model().moment(0).verdict);
        QCOMPARE(reviews_of(options_), before);
    }

    void a_set_that_is_wrong_is_told_with_its_line()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        open(window);
        QFile set(folder_.filePath("wrong.toml"));
        QVERIFY(set.open(QIODevice::WriteOnly));
        set.write("[[label]]\nname = \"red\"\n[[label]]\nname = \"red\"\n");
        set.close();
        window.label_page().use_set({"Wrong", folder_.filePath("wrong.toml").toStdString(), true});
        QTRY_VERIFY_WITH_TIMEOUT(window.notice().isVisible(), 20000);
        QVERIFY(window.notice().problem().all().contains("wrong.toml:3"));
        QVERIFY(window.label_page().empty().isVisible());
        // The list that had the focus is gone; the page keeps it.
        QVERIFY(window.label_page().empty().button().hasFocus());
        window.label_page().use_set(choice_);
        QVERIFY(window.label_page().empty().button().hasFocus());
        QTRY_VERIFY_WITH_TIMEOUT(window.label_page().model().run() && window.settled(), 60000);
        QVERIFY(!window.notice().isVisible());
        QVERIFY(window.label_page().view().hasFocus());
    }

    void every_control_of_the_page_has_a_name()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        open(window);
        int seen = 0;
        for (auto* control : window.label_page().findChildren<QWidget*>()) {
            const auto* button = qobject_cast<QAbstractButton*>(control);
            if (!control->isVisible() || !(button || qobject_cast<QAbstractItemView*>(control)))
                continue;
            ++seen;
            const QString name = control->accessibleName().isEmpty() && button ? button->text() : control->accessibleName();
            QVERIFY2(!name.isEmpty(), control->metaObject()->className());
            QVERIFY2(control->focusPolicy() & Qt::TabFocus, qPrintable(name));
        }
        QVERIFY(seen >= 9);
    }
};

QTEST_MAIN(LabelPageTest)
#include "tst_label_page.moc"
