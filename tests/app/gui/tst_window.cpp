// SPDX-License-Identifier: Apache-2.0
// The whole window over a real library: add a folder, watch it, search, open, mend; and it never freezes.
#include <QApplication>
#include <QProcess>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>

#include "app/gui/main_window.h"
#include "app/gui/paths.h"
#include "tests/support/window_library.h"

using namespace imprint;
using namespace imprint::gui;

class WindowTest : public QObject, tests::WindowLibrary {
    Q_OBJECT

public:
    static void initMain() { qputenv("QT_MEDIA_BACKEND", "ffmpeg"); }

private Q_SLOTS:
    void initTestCase()
    {
        make_media(40);
        tests::make_sound(media_, "tone.wav", 4);
        make_broken_picture();
        make_library(ThemeMode::Dark);
    }

    void an_empty_library_says_what_to_do_first_with_one_button()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        QTRY_VERIFY(window.search_page().empty().isVisible() && window.search_page().empty().button().isVisible());
        QVERIFY(window.search_page().empty().title().contains("folder"));
        window.show_page(Page::Library);
        int buttons = 0;
        for (auto* button : window.library_page().findChildren<QPushButton*>())
            buttons += button->isVisible();
        QCOMPARE(buttons, 1);
        QVERIFY(!window.notice().isVisible());
    }

    void a_folder_is_added_watched_and_searched_without_a_stall()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        QTRY_VERIFY(window.settled());

        std::vector<index::FileHit> many;
        for (int i = 0; i < 100'000; ++i)
            many.push_back(
                tests::hit(QStringLiteral("%1/disc%2.png").arg(media_).arg(i % 40).toStdString(), media::Kind::Image, {}, i));
        const Answer hundred_thousand = tests::answer(std::move(many), true);

        QList<jobs::IndexProgress> seen;
        connect(&session.index, &IndexService::progressed, &window,
                [&](const jobs::IndexProgress& progress) { seen << progress; });
        tests::LoopWatch watch;
        window.add({media_.toStdString()});
        QTRY_VERIFY(session.index.state() == IndexService::State::Running);
        QVERIFY(window.status().words().startsWith("Indexing media"));

        // Meanwhile a hundred thousand results are scrolled, with thumbnails from the very files that are being read.
        ResultsModel model;
        ResultsView view(*theme_, session.thumbnails);
        view.set_results(&model);
        view.resize(1100, 800);
        view.show();
        model.set_answer(hundred_thousand);
        int steps = 0;
        while (session.index.state() == IndexService::State::Running && steps < 3000) {
            view.verticalScrollBar()->setValue(++steps * 120);
            QTest::qWait(5);
        }
        QVERIFY(steps > 10);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 60000);
        QVERIFY(!seen.isEmpty());
        QCOMPARE(seen.last().done, seen.last().found);
        QVERIFY2(watch.longest_ms() < 100, qPrintable(QStringLiteral("%1 ms").arg(watch.longest_ms())));

        QCOMPARE(session.library.state().counts.images, 40);
        QCOMPARE(session.library.state().counts.videos, 1);
        QCOMPARE(session.library.state().counts.sounds, 1);
        QCOMPARE(window.library_page().folder_count(), 1);
        QCOMPARE(window.library_page().failures().count(), 1);
        QVERIFY(window.library_page().failures().item(0)->text().startsWith("broken.jpg"));
        QCOMPARE(window.side_bar().folder_rows().size(), size_t(1));
        QCOMPARE(window.search_page().results().rowCount(), 42);  // without a question: everything

        window.search_for("a red disc");
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && !window.search_page().results().answer().browsing, 20000);
        window.search_page().cut().setValue(window.search_page().cut().maximum());
        QCOMPARE(window.search_page().results().rowCount(), 42);
        QVERIFY(window.search_page().view().isVisible());
        QTRY_VERIFY(window.settled());
        QVERIFY2(watch.longest_ms() < 100, qPrintable(QStringLiteral("%1 ms").arg(watch.longest_ms())));
        QVERIFY(!window.notice().isVisible());
    }

    void a_slip_is_read_as_what_was_meant_and_can_be_asked_for_as_typed()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        SearchPage& page = window.search_page();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && page.results().answer().browsing, 20000);
        QVERIFY(!page.reading().isVisible());
        window.search_for("an elefant");
        QTRY_VERIFY_WITH_TIMEOUT(page.reading().isVisible(), 20000);
        QVERIFY(page.reading().text().contains("elephant"));
        QVERIFY(page.reading().button().text().contains("elefant"));
        QTRY_VERIFY(window.settled());
        QTest::mouseClick(&page.reading().button(), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!page.reading().isVisible() && window.settled(), 20000);
        QCOMPARE(page.box().chips().front()->label(), QStringLiteral("“an elefant”"));
        QVERIFY(page.results().answer().meaningless);
    }

    void what_the_user_looks_at_is_indexed_first()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        const std::filesystem::path media = media_.toStdString();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && window.search_page().results().rowCount() == 42, 20000);
        QVERIFY(session.index.looked_at().empty());
        window.search_page().open_row(3);
        QCOMPARE(session.index.looked_at(), media);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 20000);

        auto options = options_;
        options.library = folder_.filePath("looked").toStdString();
        options.decoder.workers = 1;  // of two, the one that starts later may bring its first file last
        const QString later = media_ + "/zz";
        QDir().mkpath(later);
        for (int i = 0; i < 4; ++i)
            tests::make_picture(later, QStringLiteral("late%1.png").arg(i), Qt::blue);
        Session second(options);
        QSignalSpy ended(&second.index, &IndexService::finished);
        second.index.look_at(later.toStdString());
        second.index.add({media});
        QTRY_COMPARE_WITH_TIMEOUT(ended.count(), 1, 30000);
        const index::Library library(options.library, index::OpenMode::ReadOnly);
        std::vector<std::filesystem::path> order;
        for (const index::FileRow& row : library.files(0, 100))
            order.push_back(row.facts.path);
        QVERIFY(order.size() > 40);
        const auto place = [&](const char* name) {
            return std::find(order.begin(), order.end(), std::filesystem::path(later.toStdString()) / name) - order.begin();
        };
        for (const char* name : {"late0.png", "late1.png", "late2.png", "late3.png"})
            QVERIFY2(place(name) < 40, name);  // by their names they would be the last of 46
        QDir(later).removeRecursively();
    }

    void pause_keeps_what_is_done_and_resume_ends_it()
    {
        auto options = options_;
        options.library = folder_.filePath("paused").toStdString();
        Session session(options);
        MainWindow window(*theme_, session);
        connect(&session.index, &IndexService::progressed, &window, [&](const jobs::IndexProgress& progress) {
            if (progress.indexed > 0)
                session.index.pause();
        });
        window.add({media_.toStdString()});
        QTRY_VERIFY_WITH_TIMEOUT(
            session.index.state() == IndexService::State::Paused || session.index.state() == IndexService::State::Idle, 30000);
        disconnect(&session.index, &IndexService::progressed, &window, nullptr);
        if (session.index.state() == IndexService::State::Paused)
            session.index.resume();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 60000);
        QCOMPARE(session.library.state().counts.files, 42);
    }

    void a_picture_finds_itself_and_filters_apply()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 20000);
        const std::filesystem::path file = (media_ + "/disc7.png").toStdString();
        window.search_page().box().add({{}, file, {}, {}, 1.0});
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && window.search_page().results().answer().query.vector.size() > 0, 20000);
        window.search_page().cut().setValue(window.search_page().cut().maximum());
        QVERIFY(window.search_page().results().row_of(file) >= 0);
        const Answer& all = window.search_page().results().answer();
        QVERIFY(all.hits->size() == 42);
        for (auto* row : window.side_bar().findChildren<FilterRow*>())
            if (row->text() == "Images")
                row->click();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && window.search_page().results().answer().hits->size() == 2, 20000);
        window.search_page().view().setFocus();
        window.search_page().open_row(0);
        QTRY_VERIFY(window.search_page().preview().isVisible());
    }

    void judged_answers_rank_again_and_are_kept_as_a_concept()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 20000);
        SearchPage& page = window.search_page();
        const std::filesystem::path file = (media_ + "/disc7.png").toStdString();
        page.open_row(page.results().row_of(file));
        QTRY_VERIFY(page.preview().isVisible());
        for (auto* button : page.preview().findChildren<QPushButton*>())
            if (button->text() == "More like this")
                button->click();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && !page.results().answer().browsing, 20000);
        const std::vector<float> asked = page.results().answer().query.vector;
        QVERIFY(page.box().chips().front()->part().role == jobs::QueryPart::Role::More);

        Q_EMIT page.concepts().keep_wanted("discs");
        QTRY_COMPARE_WITH_TIMEOUT(page.concepts().names(), QStringList{"discs"}, 20000);
        page.box().clear();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && page.results().answer().browsing, 20000);
        Q_EMIT page.concepts().chosen("discs");
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && !page.results().answer().browsing, 20000);
        QVERIFY(page.results().answer().query.vector == asked);
        Q_EMIT page.concepts().forget_wanted("discs");
        QTRY_VERIFY_WITH_TIMEOUT(page.concepts().names().isEmpty(), 20000);
    }

    void stars_labels_and_lengths_leave_files_out()
    {
        {
            index::Library library(options_.library, index::OpenMode::ReadWrite);
            library.rate((media_ + "/disc3.png").toStdString(), 4);
            library.rate((media_ + "/disc4.png").toStdString(), 2);
            library.add_label((media_ + "/disc5.png").toStdString(), {.name = "green disc"});
        }
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 20000);
        const auto choose = [&](const QString& text) {
            for (auto* action : window.side_bar().findChildren<QAction*>())
                if (action->text() == text)
                    return action->trigger();
            QFAIL(qPrintable(text));
        };
        const auto shown = [&](int files) { return window.settled() && window.search_page().results().rowCount() == files; };
        QTRY_VERIFY_WITH_TIMEOUT(shown(42), 20000);
        choose(QString(3, QChar(0x2605)) + " and more");
        QTRY_VERIFY_WITH_TIMEOUT(shown(1), 20000);
        choose("Any rating");
        QTRY_VERIFY_WITH_TIMEOUT(shown(42), 20000);
        QTRY_VERIFY_WITH_TIMEOUT(!session.library.busy(), 20000);
        choose("green disc");
        QTRY_VERIFY_WITH_TIMEOUT(shown(1), 20000);
        choose("Any label");
        choose("Up to 10 s");
        QTRY_VERIFY_WITH_TIMEOUT(shown(2), 20000);  // the clip and the tone
    }

    void a_mended_file_is_taken_in_by_trying_again()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 20000);
        QCOMPARE(session.library.state().counts.failed, 1);
        QTemporaryDir other;
        std::filesystem::copy_file(tests::make_picture(other.path(), "good.jpg", Qt::green),
                                   (media_ + "/broken.jpg").toStdString(), std::filesystem::copy_options::overwrite_existing);
        session.index.retry({media_.toStdString()});
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && session.library.state().counts.failed == 0, 60000);
        QCOMPARE(session.library.state().counts.images, 41);
    }

    void a_library_that_another_program_writes_is_told_with_its_way_out()
    {
        index::Library other(options_.library, index::OpenMode::ReadWrite);
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        window.add({media_.toStdString()});
        QTRY_VERIFY_WITH_TIMEOUT(window.notice().isVisible(), 20000);
        QCOMPARE(window.notice().problem().kind.value(), ErrorKind::Busy);
        QVERIFY(!window.notice().problem().remedy.isEmpty());
        QTRY_COMPARE(session.index.state(), IndexService::State::Idle);
        // Another thing that goes well leaves the message; the same thing, tried again, takes it away.
        window.search_for("a disc");
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && !window.search_page().results().answer().browsing, 20000);
        QVERIFY(window.notice().isVisible());
        window.add({media_.toStdString()});
        QCOMPARE(session.index.state(), IndexService::State::Running);
        QVERIFY(!window.notice().isVisible());
        QTRY_VERIFY_WITH_TIMEOUT(window.notice().isVisible(), 20000);
    }

    void every_control_is_reachable_and_named()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), 20000);
        for (const Page page : {Page::Search, Page::Library, Page::Label}) {
            window.show_page(page);
            for (auto* control : window.findChildren<QWidget*>()) {
                if (!control->isVisible() || !control->isEnabled())
                    continue;
                const auto* button = qobject_cast<QAbstractButton*>(control);
                const bool acts = button || qobject_cast<QAbstractSlider*>(control) || qobject_cast<QLineEdit*>(control)
                    || qobject_cast<QAbstractItemView*>(control);
                if (!acts || qobject_cast<QScrollBar*>(control) || control->objectName().startsWith("qt_"))
                    continue;
                const QString name = control->accessibleName().isEmpty() && button ? button->text() : control->accessibleName();
                QVERIFY2(!name.isEmpty(), control->metaObject()->className());
                QVERIFY2(control->focusPolicy() & Qt::TabFocus, qPrintable(name));
            }
        }
    }

    void without_a_display_the_program_says_so()
    {
        QProcess app;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert("QT_QPA_PLATFORM", "xcb");
        environment.insert("DISPLAY", ":4711");
        environment.remove("WAYLAND_DISPLAY");
        app.setProcessEnvironment(environment);
        app.start(IMPRINT_BIN_DIR "/imprint-app", {"--library", QString::fromStdString(options_.library.native())});
        QVERIFY(app.waitForFinished(60000));
        const QByteArray said = app.readAllStandardError();
        QVERIFY(app.exitStatus() == QProcess::NormalExit);
        QCOMPARE(app.exitCode(), 3);
        QVERIFY2(said.contains("imprint-app: no window can be opened"), said.constData());
        QVERIFY2(said.contains("use the command imprint"), said.constData());
    }

    void the_program_takes_its_own_screenshot()
    {
        const QString shot = folder_.filePath("shot.png");
        QProcess app;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert("XDG_CONFIG_HOME", folder_.path());
        app.setProcessEnvironment(environment);
        app.start(IMPRINT_BIN_DIR "/imprint-app",
                  {"--library", QString::fromStdString(options_.library.native()), "--model",
                   QString::fromStdString(options_.checkpoint.native()), "--search", "a disc", "--theme", "light", "--screenshot",
                   shot});
        QVERIFY(app.waitForFinished(60000));
        QVERIFY2(app.exitCode() == 0, app.readAllStandardError().constData());
        const QImage image(shot);
        QCOMPARE(image.size(), QSize(1440, 900));
        QVERIFY(image.pixelColor(230, 5) == light_palette().background);
    }
};

QTEST_MAIN(WindowTest)
#include "tst_window.moc"
