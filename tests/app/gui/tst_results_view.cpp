// SPDX-License-Identifier: Apache-2.0
// The grid under hand: keys, clicks, thumbnails, and a hundred thousand rows.
#include <QScrollBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/results_view.h"
#include "tests/app/gui/gui_fixture.h"

using namespace imprint;
using namespace imprint::gui;
using media::Kind;
using tests::moment;

class ResultsViewTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    std::unique_ptr<Theme> theme_;
    std::unique_ptr<Thumbnails> thumbnails_;
    std::vector<std::filesystem::path> pictures_;

    std::vector<index::FileHit> hits(int count)
    {
        std::vector<index::FileHit> out;
        for (int i = 0; i < count; ++i)
            out.push_back(
                tests::hit(pictures_[size_t(i) % pictures_.size()], Kind::Image, {moment(0, 0, i < 8 ? 6.0f : 3.0f)}, i));
        return out;
    }

private Q_SLOTS:
    void initTestCase()
    {
        theme_ = std::make_unique<Theme>(*qApp, ThemeMode::Dark);
        thumbnails_ = std::make_unique<Thumbnails>(std::make_shared<media::Decoder>(tests::decoder_options()));
        for (int i = 0; i < 24; ++i)
            pictures_.push_back(
                tests::make_picture(folder_.path(), QStringLiteral("p%1.png").arg(i), QColor::fromHsv(i * 15, 200, 200)));
    }
    void cleanupTestCase() { thumbnails_.reset(); }

    void keys_walk_the_grid_open_play_and_never_delete()
    {
        ResultsModel model;
        ResultsView view(*theme_, *thumbnails_);
        view.set_results(&model);
        view.resize(900, 600);
        view.show();
        model.set_answer(tests::answer(hits(20)));
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        view.doItemsLayout();
        QCOMPARE(view.grid().columns(), 4);
        QSignalSpy opened(&view, &ResultsView::opened), played(&view, &ResultsView::play_wanted);
        QTest::keyClick(&view, Qt::Key_Home);
        QCOMPARE(view.currentIndex().row(), 0);
        const std::pair<Qt::Key, int> steps[] = {{Qt::Key_Right, 1}, {Qt::Key_Down, 5}, {Qt::Key_Down, 9}, {Qt::Key_Left, 8},
                                                 {Qt::Key_Up, 4},    {Qt::Key_End, 19}, {Qt::Key_Home, 0}};
        for (const auto& [key, row] : steps) {
            QTest::keyClick(&view, key);
            QCOMPARE(view.currentIndex().row(), row);
            QVERIFY(view.viewport()->rect().intersects(view.visualRect(view.currentIndex())));
        }
        QTest::keyClick(&view, Qt::Key_Space);
        QTest::keyClick(&view, Qt::Key_Return);
        QTest::keyClick(&view, Qt::Key_Delete);
        QCOMPARE(played.count(), 1);
        QCOMPARE(opened.count(), 1);
        QVERIFY(std::filesystem::exists(pictures_[0]));
        QSignalSpy typed(&view, &ResultsView::typed);
        QTest::keyClick(&view, Qt::Key_G);
        QCOMPARE(typed.value(0).value(0).toString(), QStringLiteral("g"));
    }

    void several_are_selected_by_shift_and_control()
    {
        ResultsModel model;
        ResultsView view(*theme_, *thumbnails_);
        view.set_results(&model);
        view.resize(900, 600);
        view.show();
        model.set_answer(tests::answer(hits(20)));
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        view.doItemsLayout();
        const auto click = [&](int row, Qt::KeyboardModifiers keys) {
            QTest::mouseClick(view.viewport(), Qt::LeftButton, keys, view.visualRect(model.index(row)).center());
        };
        click(1, Qt::NoModifier);
        click(6, Qt::ControlModifier);
        QCOMPARE(view.selectionModel()->selectedIndexes().size(), 2);
        click(2, Qt::NoModifier);
        QTest::keyClick(&view, Qt::Key_Down, Qt::ShiftModifier);
        QCOMPARE(view.selectionModel()->selectedIndexes().size(), 5);  // 2 to 6
        QTest::keyClick(&view, Qt::Key_A, Qt::ControlModifier);
        QCOMPARE(view.selectionModel()->selectedIndexes().size(), 20);
    }

    void thumbnails_appear_and_fade_in_without_moving_anything()
    {
        Thumbnails fresh(std::make_shared<media::Decoder>(tests::decoder_options()));
        ResultsModel model;
        ResultsView view(*theme_, fresh);
        view.set_results(&model);
        view.resize(900, 600);
        view.show();
        model.set_answer(tests::answer(hits(8)));
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        view.doItemsLayout();
        const QRect before = view.visualRect(model.index(0));
        QTRY_VERIFY(fresh.get(ResultsView::wish_for(model.hit(0))) != nullptr && !fresh.busy());
        QTest::qWait(400);
        QCOMPARE(view.visualRect(model.index(0)), before);
        const QImage shot = view.viewport()->grab(view.grid().picture(0)).toImage();
        const QColor middle = shot.pixelColor(shot.width() / 2, shot.height() / 2);
        QVERIFY2(middle.hsvSaturation() > 150 && (middle.hsvHue() < 10 || middle.hsvHue() > 350), qPrintable(middle.name()));
    }

    void hovering_a_video_shows_the_frame_under_the_pointer()
    {
        index::FileHit video = tests::hit(tests::make_video(folder_.path(), "clip.mp4", 8), Kind::Video, {moment(1, 2, 6.0f)});
        video.probe.duration = 8;
        ResultsModel model;
        ResultsView view(*theme_, *thumbnails_);
        view.set_results(&model);
        view.resize(900, 600);
        view.show();
        model.set_answer(tests::answer({video}));
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        view.doItemsLayout();
        const QRect picture = view.grid().picture(0);
        QList<QImage> shots;
        for (const double at : {0.1, 0.6}) {
            QTest::mouseMove(view.viewport(), QPoint(picture.left() + int(picture.width() * at), picture.center().y()));
            QTest::qWait(50);
            QTRY_VERIFY(!thumbnails_->busy());
            QTest::qWait(200);
            shots << view.viewport()->grab(picture.adjusted(20, 10, -20, -30)).toImage();
        }
        QVERIFY(shots[0] != shots[1]);
    }

    void a_photo_fills_its_tile_and_a_drawing_is_seen_whole()
    {
        QImage photo(400, 300, QImage::Format_RGB32);
        for (int y = 0; y < 300; ++y)
            for (int x = 0; x < 400; ++x)
                photo.setPixel(x, y, qRgb(x * 255 / 400, y * 255 / 300, (x * 7 + y * 13) % 256));
        const QImage filled = framed(photo, {160, 90});
        QVERIFY(qAbs(filled.pixelColor(1, 45).red() - 0) < 12 && qAbs(filled.pixelColor(158, 45).red() - 255) < 12);

        QImage drawing(300, 300, QImage::Format_RGB32);
        drawing.fill(QColor("#fdfdf0"));
        QPainter painter(&drawing);
        painter.fillRect(140, 2, 20, 20, Qt::red);  // filling the tile would cut this off
        painter.end();
        const QImage whole = framed(drawing, {160, 90});
        QCOMPARE(whole.pixelColor(2, 2), QColor("#fdfdf0"));
        QVERIFY(whole.pixelColor(80, 3).green() < 100);
    }

    void a_hundred_thousand_rows_scroll_without_a_stall()
    {
        ResultsModel model;
        ResultsView view(*theme_, *thumbnails_);
        view.set_results(&model);
        view.resize(1100, 800);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        const Answer all = tests::answer(hits(100'000));
        tests::LoopWatch watch;
        model.set_answer(all);
        QTest::qWait(50);
        QScrollBar* bar = view.verticalScrollBar();
        QVERIFY(bar->maximum() > 1'000'000);
        for (int i = 0; i < 120; ++i) {  // a fling, jumps through the whole, and small steps
            bar->setValue(i < 60 ? i * 700 : int(double(bar->maximum()) * (i - 60) / 60) + i);
            QTest::qWait(8);
        }
        QTest::keyClick(&view, Qt::Key_End);
        QTest::qWait(30);
        QCOMPARE(view.currentIndex().row(), 99'999);
        model.set_cut(4.0f);
        model.set_cut(2.5f);
        QTest::qWait(30);
        QVERIFY(watch.ticks() > 100);
        qInfo("the longest stall took %lld ms", watch.longest_ms());
        QVERIFY2(watch.longest_ms() < 100,
                 qPrintable(QStringLiteral("the event loop stood still for %1 ms").arg(watch.longest_ms())));
    }
};

QTEST_MAIN(ResultsViewTest)
#include "tst_results_view.moc"
