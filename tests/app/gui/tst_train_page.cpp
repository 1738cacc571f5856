// SPDX-License-Identifier: Apache-2.0
// The Train page over real runs: started, watched, paused, resumed, left to themselves, and those that break.
#include <QFile>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QTest>

#include "app/gui/main_window.h"
#include "tests/support/window_library.h"

using namespace imprint;
using namespace imprint::gui;
using State = RunService::State;

namespace {

constexpr int patience = 60000;

/// The recipe that comes with the program for such machines, with other numbers of steps.
std::filesystem::path recipe(const QString& folder, int steps)
{
    const QString recipes = QStringLiteral(IMPRINT_SOURCE_DIR "/resources/recipes/");
    QFile shipped(recipes + "tiny-cpu.toml");
    if (!shipped.open(QIODevice::ReadOnly))
        qFatal("no recipe");
    QString text = QString::fromUtf8(shipped.readAll());
    text.replace("steps = 150", QStringLiteral("steps = %1").arg(steps));
    text.replace("warmup = 8", "warmup = 1");
    text.replace("\"tiny/", "\"" + recipes + "tiny/").replace("\"../", "\"" + recipes + "../");
    text.replace("\"english-8k", "\"" + recipes + "english-8k");
    QFile file(folder + QStringLiteral("/steps%1.toml").arg(steps));
    if (!file.open(QIODevice::WriteOnly))
        qFatal("cannot write");
    file.write(text.toUtf8());
    return file.fileName().toStdString();
}

}  // namespace

class TrainPageTest : public QObject, tests::WindowLibrary {
    Q_OBJECT


public:
    static void initMain() { qputenv("QT_MEDIA_BACKEND", "ffmpeg"); }

private Q_SLOTS:
    void initTestCase()
    {
        make_library(ThemeMode::Light);
    }

    void cleanup()
    {
        for (const auto& run : jobs::runs_in(options_.library / "runs"))
            jobs::stop_run(run);
    }

    void without_a_run_the_page_says_what_one_is()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.show();
        window.activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(&window));
        QTest::keyClick(&window, Qt::Key_4, Qt::ControlModifier);
        QVERIFY(window.train_page().isVisible());
        QVERIFY(window.train_page().empty().button().isVisible() && window.train_page().empty().other().isVisible());
        QVERIFY(!window.train_page().pause().isVisible());
    }

    void a_run_is_started_watched_paused_and_goes_on_without_the_window()
    {
        std::filesystem::path run;
        {
            Session session(options_);
            MainWindow window(*theme_, session);
            window.resize(1200, 800);
            window.show();
            window.show_page(Page::Train);
            TrainPage& page = window.train_page();
            session.runs.start(recipe(folder_.path(), 4000));
            QVERIFY(session.runs.state() == State::Starting);
            tests::LoopWatch watch;
            QTRY_VERIFY_WITH_TIMEOUT(session.runs.state() == State::Running && session.runs.picture().step >= 3, patience);
            QVERIFY(page.run().progress().endsWith("of 4,000"));
            QVERIFY(!page.run().loss().chart().series().isEmpty());
            QVERIFY(page.run().loss().legend().contains("●"));
            QVERIFY2(watch.longest_ms() < 100, qPrintable(QStringLiteral("%1 ms").arg(watch.longest_ms())));
            page.pause().click();
            QVERIFY(session.runs.state() == State::Pausing);
            QTRY_VERIFY_WITH_TIMEOUT(session.runs.state() == State::Paused, patience);
            const qint64 paused_at = session.runs.picture().step;
            QVERIFY(session.runs.picture().status.saved_step.value() >= 3);
            QCOMPARE(page.pause().text(), QStringLiteral("Resume"));
            page.pause().click();
            QTRY_VERIFY_WITH_TIMEOUT(session.runs.state() == State::Running && session.runs.picture().step > paused_at, patience);
            QVERIFY(!window.notice().isVisible());
            run = session.runs.picture().folder;
        }
        QVERIFY(jobs::run_status(run).process);
        Session session(options_);
        QCOMPARE(session.runs.recent().front(), run);
        session.runs.open(run);
        QTRY_VERIFY_WITH_TIMEOUT(session.runs.state() == State::Running, patience);
        session.runs.pause();
        QTRY_VERIFY_WITH_TIMEOUT(session.runs.state() == State::Paused, patience);
    }

    void a_short_run_ends_with_a_model_and_held_out_figures()
    {
        Session session(options_);
        MainWindow window(*theme_, session);
        window.show();
        window.show_page(Page::Train);
        session.runs.start(recipe(folder_.path(), 3));
        QTRY_VERIFY_WITH_TIMEOUT(session.runs.state() == State::Finished, patience);
        QVERIFY(!session.runs.picture().held_out.empty());
        QVERIFY(window.train_page().summary().contains(".safetensors"));
        QVERIFY(!window.train_page().pause().isVisible());
        QVERIFY(!window.notice().isVisible());
    }

    void a_recipe_that_is_wrong_is_told_in_its_own_words()
    {
        QFile wrong(folder_.filePath("wrong.toml"));
        QVERIFY(wrong.open(QIODevice::WriteOnly));
        wrong.write("steps = \"many\"\n");
        wrong.close();
        Session session(options_);
        MainWindow window(*theme_, session);
        window.show();
        session.runs.start(wrong.fileName().toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(window.notice().isVisible(), patience);
        QVERIFY2(window.notice().problem().all().contains("wrong.toml"), qPrintable(window.notice().problem().all()));
        QVERIFY(session.runs.state() == State::None);
        for (const auto& run : session.runs.recent())
            QVERIFY(run.filename() != "wrong");  // there is nothing to resume, and nothing is left
        QVERIFY(!std::filesystem::exists(options_.library / "runs/wrong"));
        QVERIFY(window.train_page().empty().isVisibleTo(&window.train_page()));
    }

    void curves_of_any_shape_are_drawn_and_told()
    {
        LineChart chart(*theme_, "Loss", "nothing yet");
        chart.resize(500, 300);
        chart.show();
        QCOMPARE(chart.legend(), QStringLiteral("nothing yet"));
        const double none = std::numeric_limits<double>::quiet_NaN();
        chart.set_curves(
            {{"a <b>", {{0, 5}, {1, 4}, {2, 2.5}}}, {"flat", {{0, 1}, {1, 1}}}, {"gaps", {{0, none}, {1, none}}}, {"none", {}}});
        QCOMPARE(chart.chart().series().size(), 3);
        QVERIFY(chart.legend().contains("a &lt;b&gt;"));
        QVERIFY(chart.accessibleDescription().contains("a <b> 2.5"));
        chart.set_curves({{"one", {{0, 5}}}});
        QCOMPARE(chart.chart().series().size(), 1);
        chart.set_curves({});
        QCOMPARE(chart.legend(), QStringLiteral("nothing yet"));
        ExpertGrid grid(*theme_);
        grid.set_use({{"picture", {{0.5, 0.5}, {0.1, 0.9}}}, {"empty", {}}}, 0.25);
        QCOMPARE(grid.rows(), 1);
        QVERIFY(grid.accessibleDescription().contains("expert 2 takes most, 90.0 %"));
        QVERIFY(grid.accessibleDescription().contains("25.0 % of tokens"));
    }
};

QTEST_MAIN(TrainPageTest)
#include "tst_train_page.moc"
