// SPDX-License-Identifier: Apache-2.0
// One person's way through the window by real events: drop a folder, type, drop a picture and a sound, filter, play, label,
// leave in the middle, come back, change the model; and the libraries that cannot be opened.
#include <QApplication>
#include <QDropEvent>
#include <QMimeData>
#include <QSettings>
#include <QTest>

#include "app/gui/main_window.h"
#include "app/gui/memory.h"
#include "app/gui/paths.h"
#include "tests/support/window_library.h"

using namespace imprint;
using namespace imprint::gui;

namespace {

constexpr int patience = 60000;

/// Drops files on a widget as a file manager does.
void drop(QWidget& widget, const std::vector<std::filesystem::path>& files)
{
    const std::unique_ptr<QMimeData> data(files_for_others(files));
    const QPoint middle = widget.rect().center();
    QDragEnterEvent enter(middle, Qt::CopyAction, data.get(), Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&widget, &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent drop(middle, Qt::CopyAction, data.get(), Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&widget, &drop);
    QVERIFY(drop.isAccepted());
}

}  // namespace

class JourneyTest : public QObject, tests::WindowLibrary {
    Q_OBJECT


    QString settings_file() const { return folder_.filePath("settings.ini"); }
    static void open(MainWindow& window)
    {
        window.resize(1300, 850);
        window.show();
        window.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&window));
    }
    static bool searched(MainWindow& window) { return window.settled() && !window.search_page().results().answer().browsing; }

public:
    static void initMain() { qputenv("QT_MEDIA_BACKEND", "ffmpeg"); }

private Q_SLOTS:
    void initTestCase()
    {
        make_media(12);
        tests::make_sound(media_, "tone.wav", 4);
        write(folder_.filePath("discs.toml"), "[[label]]\nname = \"red\"\n[[label]]\nname = \"blue\"\n");
        make_library(ThemeMode::Dark);
    }

    void from_an_empty_library_to_reviewed_labels()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        open(window);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), patience);
        tests::LoopWatch watch;
        SearchPage& page = window.search_page();

        drop(page.box(), {media_.toStdString()});
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && page.results().rowCount() == 14, patience);

        QTest::keyClick(&window, Qt::Key_1, Qt::ControlModifier);
        QCOMPARE(QApplication::focusWidget(), &page.box().line());
        QTest::keyClicks(&page.box().line(), "a red disc");
        QTest::keyClick(&page.box().line(), Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(searched(window), patience);
        QTest::keyClick(&page.cut(), Qt::Key_End);
        QTRY_COMPARE(page.results().rowCount(), 14);

        for (const char* file : {"/disc3.png", "/tone.wav"})
            drop(page.box(), {(media_ + file).toStdString()});
        QCOMPARE(page.box().parts().size(), size_t(3));
        QTRY_VERIFY_WITH_TIMEOUT(searched(window) && page.results().rowCount() == 14, patience);

        for (auto* row : window.side_bar().findChildren<FilterRow*>())
            if (row->text() == "Images")
                QTest::mouseClick(row, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(searched(window) && page.results().rowCount() == 2, patience);

        page.view().setFocus();
        QTest::keyClick(&page.view(), Qt::Key_Home);
        if (page.results().hit(0).probe.kind != media::Kind::Video)
            QTest::keyClick(&page.view(), Qt::Key_Right);
        QTest::keyClick(&page.view(), Qt::Key_Space);
        QTRY_VERIFY_WITH_TIMEOUT(page.preview().player().position() > 0.2, patience);
        QTest::keyClick(&page.view(), Qt::Key_Space);
        QTRY_VERIFY_WITH_TIMEOUT(!page.preview().player().playing(), patience);

        QTest::keyClick(&window, Qt::Key_3, Qt::ControlModifier);
        for (auto* row : window.side_bar().findChildren<FilterRow*>())
            if (row->text() == "Images")
                QTest::mouseClick(row, Qt::LeftButton);
        window.label_page().use_set({"Discs", folder_.filePath("discs.toml").toStdString(), true});
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && window.label_page().model().rowCount() > 3, patience);
        for (const Qt::Key key : {Qt::Key_1, Qt::Key_0, Qt::Key_Space})
            QTest::keyClick(&window.label_page().view(), key);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), patience);
        QCOMPARE(jobs::review_state(*window.label_page().model().run()).reviewed, 3);
        QVERIFY2(watch.longest_ms() < 100, qPrintable(QStringLiteral("%1 ms").arg(watch.longest_ms())));
        QVERIFY2(!window.notice().isVisible(), qPrintable(window.notice().problem().all()));
    }

    void what_was_cut_off_goes_on_the_next_time()
    {
        auto options = options_;
        options.library = folder_.filePath("cut off").toStdString();
        QSettings settings(settings_file(), QSettings::IniFormat);
        {
            Session session(options);
            MainWindow window(*theme_, session);
            open(window);
            window.add({media_.toStdString()});
            window.search_page().box().add({"a red disc", {}, {}, {}, 1.0});
            window.search_page().box().add({{}, (media_ + "/disc3.png").toStdString(), {}, {}, 0.5});
            window.show_page(Page::Train);
            QTRY_VERIFY_WITH_TIMEOUT(session.index.progress().indexed > 0 || session.index.state() == IndexService::State::Idle,
                                     patience);
            remember(settings, window, session);
        }
        Session session(options);
        MainWindow window(*theme_, session);
        open(window);
        recall(settings, window, session);
        QCOMPARE(window.page(), Page::Train);
        const auto parts = window.search_page().box().parts();
        QCOMPARE(parts.size(), size_t(2));
        QCOMPARE(parts[0].text, std::string("a red disc"));
        QCOMPARE(parts[1].weight, 0.5);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && session.library.state().counts.files == 14, patience);
        QTRY_VERIFY_WITH_TIMEOUT(searched(window), patience);
    }

    void what_a_crash_cuts_off_is_known_the_next_time_and_what_ended_is_not()
    {
        auto options = options_;
        options.library = folder_.filePath("crashed").toStdString();
        QSettings settings(folder_.filePath("crash.ini"), QSettings::IniFormat);
        const auto unfinished = [&] { return settings.value("session/unfinished").toList(); };
        Session session(options);
        MainWindow window(*theme_, session);
        remember_indexing(settings, window, session);
        window.add({media_.toStdString()});
        QCOMPARE(unfinished(), QVariantList{media_.toUtf8()});  // before a single file is read
        QTRY_VERIFY_WITH_TIMEOUT(session.index.state() == IndexService::State::Idle, patience);
        QVERIFY(unfinished().isEmpty());
        QVERIFY(QFile::exists(settings.fileName()));
    }

    void another_librarys_session_is_left_alone()
    {
        auto options = options_;
        options.library = folder_.filePath("other").toStdString();
        Session session(options);
        MainWindow window(*theme_, session);
        QSettings settings(settings_file(), QSettings::IniFormat);
        recall(settings, window, session);
        QVERIFY(window.search_page().box().parts().empty());
        QVERIFY(session.index.state() == IndexService::State::Idle);
    }

    void another_model_reads_the_library_and_then_answers()
    {
        const auto other = tests::make_tiny_checkpoint(folder_.path().toStdString(), 7, "nmt_nfkc_cf", false);
        std::string before;
        {
            Session session(options_);
            MainWindow window(*theme_, session);
            open(window);
            QTRY_VERIFY_WITH_TIMEOUT(window.settled(), patience);
            before = session.engine->encoder().space();
            bool asked = false;
            connect(&window, &MainWindow::restart_wanted, &window, [&] { asked = true; });
            window.use_model(other);
            QVERIFY(window.status().words().startsWith("Reading for the model tiny"));
            window.search_for("a blue disc");  // the model of now answers meanwhile
            QTRY_VERIFY_WITH_TIMEOUT(!window.search_page().results().answer().browsing, patience);
            QTRY_VERIFY_WITH_TIMEOUT(asked, patience);
            QVERIFY2(!window.notice().isVisible(), qPrintable(window.notice().problem().all()));
        }
        auto options = options_;
        options.checkpoint.clear();
        Session session(options);
        QCOMPARE(session.engine->checkpoint(), other);
        QVERIFY(session.engine->encoder().space() != before);
        MainWindow window(*theme_, session);
        open(window);
        window.search_for("a blue disc");
        QTRY_VERIFY_WITH_TIMEOUT(searched(window), patience);
        QVERIFY(!window.search_page().results().answer().hits->empty());
    }

    void a_file_that_is_no_model_is_told_and_changes_nothing()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        open(window);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), patience);
        window.use_model((media_ + "/disc1.png").toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(window.notice().isVisible(), patience);
        QVERIFY2(window.notice().problem().all().contains("disc1.png"), qPrintable(window.notice().problem().all()));
        QVERIFY(session.index.state() == IndexService::State::Idle);
        QVERIFY(session.index.model().empty());
    }

    void a_library_of_a_newer_version_is_told_and_left_alone()
    {
        auto options = options_;
        options.library = folder_.filePath("newer").toStdString();
        QDir().mkpath(folder_.filePath("newer"));
        // What a later version might have left: SQLite's own header with a schema number far ahead.
        QVERIFY(QFile::copy(folder_.filePath("library/catalog.sqlite"), folder_.filePath("newer/catalog.sqlite")));
        QFile catalog(folder_.filePath("newer/catalog.sqlite"));
        QVERIFY(catalog.open(QIODevice::ReadWrite));
        QVERIFY(catalog.seek(60));  // user_version, big-endian (sqlite.org/fileformat2.html)
        catalog.write(QByteArray::fromHex("00010000"));
        catalog.close();
        const auto bytes = [&] {
            QFile file(catalog.fileName());
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        };
        const QByteArray before = bytes();
        Session session(options);
        MainWindow window(*theme_, session);
        open(window);
        QTRY_VERIFY_WITH_TIMEOUT(window.notice().isVisible(), patience);
        QVERIFY2(window.notice().problem().all().contains("newer"), qPrintable(window.notice().problem().all()));
        QVERIFY(window.search_page().empty().title().contains("cannot be searched"));
        QVERIFY(bytes() == before);
    }
};

QTEST_MAIN(JourneyTest)
#include "tst_journey.moc"
