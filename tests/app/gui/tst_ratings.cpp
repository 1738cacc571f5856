// SPDX-License-Identifier: Apache-2.0
// Stars by key, by click and from the menu: kept in the library, shown on tiles and in the preview, taken back.
#include <QApplication>
#include <QContextMenuEvent>
#include <QMenu>
#include <QTest>

#include "app/gui/main_window.h"
#include "tests/support/window_library.h"

using namespace imprint;
using namespace imprint::gui;

class RatingsTest : public QObject, tests::WindowLibrary {
    Q_OBJECT

    std::unique_ptr<Session> session_;
    std::unique_ptr<MainWindow> window_;

    SearchPage& page() { return window_->search_page(); }
    std::filesystem::path disc(int number) const { return QStringLiteral("%1/disc%2.png").arg(media_).arg(number).toStdString(); }
    int row(int number) { return page().results().row_of(disc(number)); }
    int shown(int number) { return page().results().stars(page().results().hit(row(number))); }
    int kept(int number) const
    {
        const index::Library library(options_.library, index::OpenMode::ReadOnly);
        return library.rating(library.find(disc(number))->id);
    }
    void choose(int number, Qt::KeyboardModifiers keys = Qt::NoModifier)
    {
        ResultsView& view = page().view();
        const QModelIndex index = page().results().index(row(number));
        view.scrollTo(index);
        QTest::mouseClick(view.viewport(), Qt::LeftButton, keys, view.visualRect(index).center());
        QVERIFY(view.selectionModel()->isSelected(page().results().index(row(number))));
    }
    bool settled() const { return window_->settled() && !session_->library.rating(); }

private Q_SLOTS:
    void initTestCase()
    {
        make_media(6);
        make_library(ThemeMode::Light);
    }

    void init()
    {
        session_ = std::make_unique<Session>(options_);
        window_ = std::make_unique<MainWindow>(*theme_, *session_);
        window_->resize(1300, 850);
        window_->show();
        window_->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(window_.get()));
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled(), 20000);
        if (page().results().rowCount() == 0)
            window_->add({media_.toStdString()});
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled() && page().results().rowCount() == 7, 60000);
        window_->show_page(Page::Search);
    }
    void cleanup()
    {
        window_.reset();
        session_.reset();
        std::vector<index::Rating> none;
        for (int i = 0; i < 6; ++i)
            none.push_back({disc(i), 0});
        index::Library(options_.library, index::OpenMode::ReadWrite).rate(none);
    }

    void keys_give_stars_to_all_that_is_selected_and_take_them_back()
    {
        choose(1);
        choose(4, Qt::ControlModifier);
        QTest::keyClick(&page().view(), Qt::Key_3, Qt::AltModifier);
        QCOMPARE(shown(1), 3);  // at once
        QCOMPARE(shown(4), 3);
        QCOMPARE(shown(2), 0);
        QCOMPARE(page().view().selectionModel()->selectedIndexes().size(), 2);
        QTRY_VERIFY(settled());
        QTRY_COMPARE(kept(1), 3);
        QTRY_COMPARE(kept(4), 3);
        choose(4);
        QTest::keyClick(&page().view(), Qt::Key_0, Qt::AltModifier);
        QTRY_VERIFY(settled());
        QTRY_COMPARE(kept(4), 0);
        QTest::keyClick(&page().view(), Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(shown(4), 3);
        QTest::keyClick(&page().view(), Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(shown(4), 0);
        QTest::keyClick(&page().view(), Qt::Key_Z, Qt::ControlModifier);  // nothing is left to be taken back
        QTRY_VERIFY(settled());
        QTRY_COMPARE(kept(1), 0);
        QTRY_COMPARE(kept(4), 0);
        QTest::keyClick(&page().view(), Qt::Key_2, Qt::ControlModifier);
        QCOMPARE(window_->page(), Page::Library);  // Control and digits still go to pages
    }

    void stars_are_seen_on_tiles_in_the_preview_and_after_a_new_start()
    {
        choose(2);
        QTRY_VERIFY(window_->settled());
        const QRect cell = page().view().visualRect(page().results().index(row(2)));
        const auto caption = [&] {
            return page().view().viewport()->grab(cell.adjusted(cell.width() / 2, cell.height() - 22, 0, 0)).toImage();
        };
        const QImage before = caption();
        QCOMPARE(page().view().selectionModel()->selectedIndexes().size(), 1);
        QTest::keyClick(&page().view(), Qt::Key_4, Qt::AltModifier);
        QCOMPARE(shown(2), 4);
        QCOMPARE(page().preview().stars().value(), 4);
        QVERIFY(caption() != before);
        QTRY_VERIFY(settled());
        window_.reset();
        session_ = std::make_unique<Session>(options_);
        window_ = std::make_unique<MainWindow>(*theme_, *session_);
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled() && page().results().rowCount() == 7, 20000);
        QCOMPARE(shown(2), 4);
        window_->search_for("a red disc");
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled() && !page().results().answer().browsing, 20000);
        page().cut().setValue(page().cut().maximum());
        QCOMPARE(shown(2), 4);
        page().open_row(row(2));
        QCOMPARE(page().preview().stars().value(), 4);
    }

    void the_preview_gives_stars_by_click_arrow_and_digit_but_not_by_the_wheel()
    {
        choose(3);
        StarRow& stars = page().preview().stars();
        QTRY_VERIFY(stars.isVisible());
        QCOMPARE(stars.accessibleName(), QStringLiteral("Rating"));
        const auto click = [&](int star) {
            QTest::mouseClick(&stars, Qt::LeftButton, {}, {stars.width() * (2 * star - 1) / 10, stars.height() / 2});
        };
        click(5);
        QCOMPARE(shown(3), 5);
        click(2);
        QCOMPARE(shown(3), 2);
        click(2);
        QCOMPARE(shown(3), 0);
        stars.setFocus();
        QTest::keyClick(&stars, Qt::Key_Right);
        QCOMPARE(shown(3), 1);
        QTest::keyClick(&stars, Qt::Key_4);
        QCOMPARE(shown(3), 4);
        QWheelEvent wheel(QPointF(5, 5), stars.mapToGlobal(QPointF(5, 5)), {}, {0, -120}, Qt::NoButton, Qt::NoModifier,
                          Qt::NoScrollPhase, false);
        QApplication::sendEvent(&stars, &wheel);
        QCOMPARE(shown(3), 4);
        QTRY_VERIFY(settled());
        QTRY_COMPARE(kept(3), 4);
    }

    void the_menu_of_a_result_gives_stars_and_ticks_those_it_has()
    {
        choose(0);
        choose(5, Qt::ControlModifier);
        ResultsView& view = page().view();
        const auto open_menu = [&] {
            const QPoint middle = view.visualRect(page().results().index(row(5))).center();
            QContextMenuEvent event(QContextMenuEvent::Mouse, middle, view.viewport()->mapToGlobal(middle));
            QApplication::sendEvent(view.viewport(), &event);
            return page().findChild<QMenu*>(QStringLiteral("rating"));
        };
        QMenu* menu = open_menu();
        QVERIFY(menu);
        QVERIFY(menu->actions().at(5)->isChecked());  // five to none, then undo
        QCOMPARE(menu->actions().at(0)->text(), QStringLiteral("5 stars"));
        menu->actions().at(0)->trigger();
        QCOMPARE(shown(0), 5);
        QCOMPARE(shown(5), 5);
        menu->parentWidget()->close();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        menu = open_menu();
        QVERIFY(menu && menu->actions().at(0)->isChecked() && !menu->actions().at(5)->isChecked());
        menu->actions().back()->trigger();
        menu->parentWidget()->close();
        QTRY_VERIFY(settled());
        QTRY_COMPARE(kept(0), 0);
        QTRY_COMPARE(kept(5), 0);
    }

    void what_is_shown_by_stars_goes_when_they_do()
    {
        choose(1);
        choose(2, Qt::ControlModifier);
        QTest::keyClick(&page().view(), Qt::Key_5, Qt::AltModifier);
        index::Filter filter;
        filter.stars = 4;
        page().set_filter(filter);
        QTRY_VERIFY_WITH_TIMEOUT(settled() && page().results().rowCount() == 2, 20000);
        choose(2);
        QTest::keyClick(&page().view(), Qt::Key_3, Qt::AltModifier);
        QTRY_VERIFY_WITH_TIMEOUT(settled() && page().results().rowCount() == 1, 20000);
        QTest::keyClick(&page().view(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(settled() && page().results().rowCount() == 2, 20000);
    }

    void what_the_library_refuses_is_told_and_not_shown()
    {
        choose(1);
        {
            const index::Library other(options_.library, index::OpenMode::ReadWrite);
            QTest::keyClick(&page().view(), Qt::Key_2, Qt::AltModifier);
            QTRY_VERIFY_WITH_TIMEOUT(window_->notice().isVisible(), 20000);
        }
        QCOMPARE(window_->notice().problem().kind.value(), ErrorKind::Busy);
        QCOMPARE(shown(1), 0);
        QCOMPARE(page().preview().stars().value(), 0);
        QTest::keyClick(&page().view(), Qt::Key_2, Qt::AltModifier);
        QTRY_VERIFY(settled());
        QTRY_COMPARE(kept(1), 2);
        QVERIFY(!window_->notice().isVisible());
    }
};

QTEST_MAIN(RatingsTest)
#include "tst_ratings.moc"
