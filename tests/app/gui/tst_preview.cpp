// SPDX-License-Identifier: Apache-2.0
// The preview plays from the hit, shows frames, and its heat strip can be walked.
#include <QAudioDevice>
#include <QMediaDevices>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/preview_panel.h"
#include "tests/app/gui/gui_fixture.h"

using namespace imprint;
using namespace imprint::gui;
using media::Kind;
using tests::moment;

class PreviewTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    std::unique_ptr<Theme> theme_;
    std::unique_ptr<Thumbnails> thumbnails_;
    index::FileHit video_, sound_;

public:
    static void initMain() { qputenv("QT_MEDIA_BACKEND", "ffmpeg"); }

private Q_SLOTS:
    void initTestCase()
    {
        theme_ = std::make_unique<Theme>(*qApp, ThemeMode::Dark);
        thumbnails_ = std::make_unique<Thumbnails>(std::make_shared<media::Decoder>(tests::decoder_options()));
        video_ =
            tests::hit(tests::make_video(folder_.path(), "clip.mp4", 12), Kind::Video, {moment(6, 8, 5.0f), moment(1, 2, 3.0f)});
        video_.probe.duration = 12;
        video_.probe.width = 320;
        video_.probe.height = 180;
        sound_ = tests::hit(tests::make_sound(folder_.path(), "tone.wav", 6), Kind::Audio, {moment(2, 4, 5.0f, Modality::Sound)});
        sound_.probe.duration = 6;
    }
    void cleanupTestCase() { thumbnails_.reset(); }

    void a_video_plays_from_its_hit_and_shows_frames()
    {
        PreviewPanel panel(*theme_, *thumbnails_);
        panel.resize(372, 700);
        panel.show();
        panel.show_hit(video_, video_.moments);
        QSignalSpy frames(&panel.player(), &Player::frame), failed(&panel, &PreviewPanel::failed);
        QList<double> positions;
        connect(&panel.player(), &Player::position_changed, &panel, [&](double seconds) { positions << seconds; });
        tests::LoopWatch watch;
        panel.toggle_play();
        QTRY_VERIFY_WITH_TIMEOUT(frames.count() >= 5 && positions.size() >= 3, 10000);
        QVERIFY(failed.isEmpty());
        for (const double position : positions)
            QVERIFY2(position >= 5.5 && position < 12, qPrintable(QString::number(position)));
        QVERIFY(positions.last() > positions.first());
        QVERIFY(!panel.surface().picture().isNull());
        panel.toggle_play();
        QTRY_VERIFY(!panel.player().playing());
        QVERIFY2(watch.longest_ms() < 100, qPrintable(QString::number(watch.longest_ms())));
    }

    void a_sound_shows_its_waveform_and_plays_from_its_hit_where_there_is_a_device()
    {
        PreviewPanel panel(*theme_, *thumbnails_);
        panel.resize(372, 700);
        panel.show();
        panel.show_hit(sound_, sound_.moments);
        double position = -1;
        connect(&panel.player(), &Player::position_changed, &panel, [&](double seconds) { position = seconds; });
        QSignalSpy failed(&panel, &PreviewPanel::failed);
        panel.toggle_play();
        if (QMediaDevices::audioOutputs().isEmpty()) {
            QTRY_COMPARE(failed.count(), 1);
            QVERIFY(failed.first().first().value<Problem>().title.contains("sound output"));
        } else {
            QTRY_VERIFY_WITH_TIMEOUT(position > 2.2, 10000);
        }
        QTRY_VERIFY(!thumbnails_->busy());
        const QImage shot = panel.grab().toImage();
        const QColor bar = theme_->colours().accent;
        int accent_pixels = 0;
        for (int x = 0; x < shot.width(); ++x)
            accent_pixels += shot.pixelColor(x, 16 + 95) == bar;
        QVERIFY2(accent_pixels > 10, qPrintable(QString::number(accent_pixels)));
    }

    void a_file_that_is_gone_says_so()
    {
        PreviewPanel panel(*theme_, *thumbnails_);
        QSignalSpy failed(&panel, &PreviewPanel::failed);
        auto gone = video_;
        gone.path = "/nowhere/gone.mp4";
        panel.show_hit(gone, gone.moments);
        panel.toggle_play();
        QTRY_COMPARE(failed.count(), 1);
        const auto problem = failed.first().first().value<Problem>();
        QVERIFY(problem.all().contains("gone.mp4"));
        QVERIFY(!problem.remedy.isEmpty());
        QVERIFY(!panel.player().playing());
    }

    void peaks_are_walked_both_ways()
    {
        PreviewPanel panel(*theme_, *thumbnails_);
        panel.show_hit(video_, video_.moments);
        panel.show_relevance(video_.path,
                             {moment(0, 2, 3.0f), moment(2, 4, 0.1f), moment(4, 6, 2.6f), moment(6, 8, 5.0f), moment(8, 10, 3.5f),
                              moment(10, 12, 0.2f)});
        QCOMPARE(panel.heat().peaks(), (std::vector<double>{0, 6}));
        QCOMPARE(panel.heat().peak_after(0).value_or(-1), 6.0);
        QCOMPARE(panel.heat().peak_before(6).value_or(-1), 0.0);
        QVERIFY(!panel.heat().peak_after(6));
        QVERIFY(panel.heat().level(7) > panel.heat().level(5));
    }

    void buttons_ask_for_more_less_and_similar()
    {
        PreviewPanel panel(*theme_, *thumbnails_);
        panel.show_hit(video_, video_.moments);
        QSignalSpy more(&panel, &PreviewPanel::more_wanted), less(&panel, &PreviewPanel::less_wanted),
            similar(&panel, &PreviewPanel::similar_wanted);
        for (auto* button : panel.findChildren<QPushButton*>())
            if (button->accessibleName().contains("like this") || button->text() == "More like this"
                || button->text() == "Find similar")
                button->click();
        QCOMPARE(more.count() + less.count() + similar.count(), 3);
        QCOMPARE(more.first().at(1).value<index::Moment>().start.value_or(-1), 6.0);
    }
};

QTEST_MAIN(PreviewTest)
#include "tst_preview.moc"
