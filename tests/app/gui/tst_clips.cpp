// SPDX-License-Identifier: Apache-2.0
// Clips on their way out: dragged from a tile, a moment or the heat strip, or saved; cut when the drop asks, never in the GUI
// thread.
#include <QApplication>
#include <QDir>
#include <QMenu>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/clips.h"
#include "app/gui/paths.h"
#include "app/gui/preview_panel.h"
#include "app/gui/query_box.h"
#include "app/gui/results_view.h"
#include "tests/app/gui/gui_fixture.h"

using namespace imprint;
using namespace imprint::gui;
using media::Kind;

namespace {

void move(QWidget& widget, const QPoint& to, Qt::MouseButtons buttons, Qt::KeyboardModifiers modifiers = Qt::NoModifier)
{
    QMouseEvent event(QEvent::MouseMove, to, widget.mapToGlobal(to), Qt::NoButton, buttons, modifiers);
    QApplication::sendEvent(&widget, &event);
}

}  // namespace

class ClipsTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    std::shared_ptr<media::Decoder> decoder_;
    std::unique_ptr<Theme> theme_;
    std::unique_ptr<Thumbnails> thumbnails_;
    std::filesystem::path video_, sound_, picture_, kept_;

    index::FileHit hit()
    {
        index::FileHit hit = tests::hit(video_, Kind::Video, {tests::moment(6, 8, 5.0f), tests::moment(1, 2, 3.0f)});
        hit.probe.duration = 12;
        return hit;
    }

private Q_SLOTS:
    void initTestCase()
    {
        decoder_ = std::make_shared<media::Decoder>(tests::decoder_options());
        theme_ = std::make_unique<Theme>(*qApp, ThemeMode::Dark);
        thumbnails_ = std::make_unique<Thumbnails>(decoder_);
        video_ = tests::make_video(folder_.path(), "a walk.mp4", 12);
        sound_ = tests::make_sound(folder_.path(), "tone.wav", 6);
        picture_ = tests::make_picture(folder_.path(), "disc.png", Qt::red);
        kept_ = path_of(folder_.filePath("kept"));
    }
    void cleanupTestCase() { thumbnails_.reset(); }

    void a_drag_is_cut_when_the_drop_asks_and_the_window_lives_on()
    {
        Clips clips(decoder_, kept_);
        QSignalSpy failed(&clips, &Clips::failed);
        const ClipData data(clips, {{video_, 6.0, 8.0}, {sound_, 2.0, 4.0}, {picture_, {}, {}}});
        QVERIFY(data.hasUrls());
        QVERIFY(!std::filesystem::exists(kept_));  // nothing was cut for looking
        tests::LoopWatch watch;
        const auto files = files_from_others(data);
        QCOMPARE(files.size(), size_t(3));
        QVERIFY(watch.ticks() > 0);
        QVERIFY2(watch.longest_ms() < 100, qPrintable(QString::number(watch.longest_ms())));
        QCOMPARE(files[0].filename().native(), std::string("a walk 0m06.0s-0m08.0s.mp4"));
        QCOMPARE(files[1].filename().native(), std::string("tone 0m02.0s-0m04.0s.wav"));
        QCOMPARE(files[2], picture_);  // a picture has no span: the file itself
        QVERIFY(std::abs(decoder_->probe(files[0]).duration - 2) < 0.2);
        QVERIFY(std::abs(decoder_->probe(files[1]).duration - 2) < 0.01);
        QCOMPARE(files_from_others(data), files);  // asked twice, cut once
        QVERIFY(failed.isEmpty());
    }

    void what_cannot_be_cut_is_told_and_the_rest_is_given()
    {
        Clips clips(decoder_, kept_);
        QSignalSpy failed(&clips, &Clips::failed);
        const ClipData data(clips, {{path_of(folder_.filePath("gone.mp4")), 1.0, 2.0}, {sound_, 0.0, 1.0}});
        QCOMPARE(files_from_others(data).size(), size_t(1));
        QCOMPARE(failed.count(), 1);
        const auto problem = failed[0][0].value<Problem>();
        QVERIFY(problem.subject.endsWith("gone.mp4") && !problem.remedy.isEmpty());
    }

    void clips_of_last_week_are_forgotten_and_those_of_today_kept()
    {
        QDir().mkpath(folder_.filePath("kept/old"));
        QProcess touch;
        touch.start("touch", {"-d", "9 days ago", folder_.filePath("kept/old")});
        QVERIFY(touch.waitForFinished());
        Clips clips(decoder_, kept_);
        const auto first = clips.cut({{sound_, 0.0, 1.0}}), second = clips.cut({{sound_, 1.0, 2.0}});
        QVERIFY(!QFileInfo::exists(folder_.filePath("kept/old")));
        QVERIFY(std::filesystem::exists(first.at(0)) && std::filesystem::exists(second.at(0)));
    }

    void a_saved_clip_gets_its_ending_and_never_takes_the_place_of_another()
    {
        Clips clips(decoder_, kept_);
        QSignalSpy saved(&clips, &Clips::saved);
        for (const char* name : {"mine", "mine", "mine.mp4"})
            clips.save({video_, 1.0, 2.0}, path_of(folder_.filePath(name)));
        QTRY_COMPARE(saved.count(), 3);
        for (const char* name : {"mine.mp4", "mine (2).mp4", "mine (3).mp4"})
            QVERIFY2(decoder_->probe(path_of(folder_.filePath(name))).kind == Kind::Video, name);
        QVERIFY(QDir(folder_.path()).entryList({"*.part"}).isEmpty());
        QSignalSpy failed(&clips, &Clips::failed);
        clips.save({video_, 1.0, 2.0}, "/proc/nowhere/mine");
        QTRY_COMPARE(failed.count(), 1);
        QVERIFY(failed[0][0].value<Problem>().subject.startsWith("/proc"));
    }

    void a_tile_gives_the_file_and_with_alt_its_moment()
    {
        ResultsModel model;
        ResultsView view(*theme_, *thumbnails_);
        view.set_results(&model);
        view.resize(900, 600);
        view.show();
        model.set_answer(tests::answer({hit()}));
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        view.doItemsLayout();
        QSignalSpy dragged(&view, &ResultsView::clips_dragged);
        const QPoint middle = view.visualRect(model.index(0)).center();
        QTest::mousePress(view.viewport(), Qt::LeftButton, Qt::AltModifier, middle);
        for (const int by : {4, 20, 40})
            move(*view.viewport(), middle + QPoint(by, by), Qt::LeftButton, Qt::AltModifier);
        QTest::mouseRelease(view.viewport(), Qt::LeftButton, Qt::AltModifier, middle);
        QCOMPARE(dragged.count(), 1);
        QCOMPARE(dragged[0][0].value<std::vector<int>>(), std::vector<int>{0});
        QVERIFY(!dragged[0][1].value<QPixmap>().isNull());
    }

    void the_heat_strip_scrubs_along_it_and_gives_the_span_that_is_pulled_out()
    {
        PreviewPanel panel(*theme_, *thumbnails_);
        panel.resize(372, 700);
        panel.show();
        panel.show_hit(hit(), hit().moments);
        QVERIFY(QTest::qWaitForWindowExposed(&panel));
        auto& heat = const_cast<HeatStrip&>(panel.heat());
        QSignalSpy sought(&heat, &HeatStrip::sought), dragged(&panel, &PreviewPanel::clip_dragged);
        const QPoint at(heat.width() * 7 / 12, 10);
        QTest::mousePress(&heat, Qt::LeftButton, Qt::NoModifier, at);
        move(heat, at + QPoint(20, 0), Qt::LeftButton);
        QCOMPARE(sought.count(), 2);
        QCOMPARE(dragged.count(), 0);
        for (const int below : {10, 30, 60})
            move(heat, {at.x(), heat.height() + below}, Qt::LeftButton);
        QTest::mouseRelease(&heat, Qt::LeftButton, Qt::NoModifier, at);
        QCOMPARE(dragged.count(), 1);
        const auto span = dragged[0][1].value<index::Moment>();
        QCOMPARE(*span.start, 6.0);
        QCOMPARE(*span.end, 8.0);
        const index::Moment alone = heat.span_at(11.5);  // no moment is there: four seconds, within the file
        QCOMPARE(*alone.start, 8.0);
        QCOMPARE(*alone.end, 12.0);
    }

    void a_moment_of_the_list_is_dragged_and_saved_by_its_menu()
    {
        PreviewPanel panel(*theme_, *thumbnails_);
        panel.resize(372, 700);
        panel.show();
        panel.show_hit(hit(), hit().moments);
        QVERIFY(QTest::qWaitForWindowExposed(&panel));
        MomentList& list = panel.moment_list();
        QSignalSpy dragged(&panel, &PreviewPanel::clip_dragged), wanted(&panel, &PreviewPanel::clip_wanted);
        const QPoint second = list.visualItemRect(list.item(1)).center();
        QTest::mousePress(list.viewport(), Qt::LeftButton, Qt::NoModifier, second);
        for (const int by : {4, 20, 40})
            move(*list.viewport(), second + QPoint(by, 0), Qt::LeftButton);
        QTest::mouseRelease(list.viewport(), Qt::LeftButton, Qt::NoModifier, second);
        QCOMPARE(dragged.count(), 1);
        QCOMPARE(*dragged[0][1].value<index::Moment>().start, 1.0);

        Q_EMIT list.menu_wanted(1, list.mapToGlobal(second));
        auto* menu = panel.findChild<QMenu*>();
        QVERIFY(menu && menu->actions().size() == 1);
        menu->actions().front()->trigger();
        QCOMPARE(wanted.count(), 1);
        QCOMPARE(*wanted[0][1].value<index::Moment>().end, 2.0);
        menu->close();
    }

    void a_clip_let_go_over_the_box_asks_for_the_span_without_a_cut()
    {
        Clips clips(decoder_, path_of(folder_.filePath("unused")));
        QueryBox box(*theme_, *thumbnails_);
        const ClipData data(clips, {{video_, 6.0, 8.0}});
        QVERIFY(box.take(data));
        QCOMPARE(box.parts().size(), size_t(1));
        QCOMPARE(box.parts()[0].file, video_);
        QCOMPARE(*box.parts()[0].from, 6.0);
        QVERIFY(!QFileInfo::exists(folder_.filePath("unused")));
    }
};

QTEST_MAIN(ClipsTest)
#include "tst_clips.moc"
