// SPDX-License-Identifier: Apache-2.0
// Learning from folders in the window: start, stop, the table, the blend, what is done with the result, and bad folders.
#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

#include "app/gui/main_window.h"
#include "tests/support/window_library.h"

using namespace imprint;
using namespace imprint::gui;

namespace {

constexpr int patience = 60000;

jobs::FinetuneReport report(bool tuned)
{
    jobs::FinetuneReport out;
    for (const char* name : {"cats & dogs", "birds"}) {
        jobs::ClassRow row{name, 20, 4, {0.5, 0.3, 0.7}, {0.75, 0.6, 0.9}, {}};
        if (tuned)
            row.tuned = jobs::Estimate{0.9, 0.8, 1};
        out.classes.push_back(row);
    }
    out.all = out.classes[0];
    out.files = 40;
    if (tuned) {
        out.checkpoint = "/m/pets.safetensors";
        out.blend = 0.5;
        for (const double blend : {1.0, 0.75, 0.5, 0.25, 0.0})
            out.blends.push_back({blend, 0.5 + blend / 2, {60, 60 - 6 * blend, 0, 0, 100}});
        out.warnings = {"General search got worse."};
    }
    return out;
}

}  // namespace

class LearnPageTest : public QObject, tests::WindowLibrary {
    Q_OBJECT


    std::filesystem::path pictures(const QString& name, int classes, int each)
    {
        for (int c = 0; c < classes; ++c) {
            const QString folder = QStringLiteral("%1/%2/class %3").arg(folder_.path(), name).arg(c);
            QDir().mkpath(folder);
            for (int i = 0; i < each; ++i)
                tests::make_picture(folder, QStringLiteral("p%1.png").arg(i), QColor::fromHsv(c * 120 + i, 220, 210));
        }
        QDir().mkpath(folder_.filePath(name));
        return folder_.filePath(name).toStdString();
    }

public:
    static void initMain() { qputenv("QT_MEDIA_BACKEND", "ffmpeg"); }

private Q_SLOTS:
    void initTestCase()
    {
        make_library(ThemeMode::Light);
    }

    void the_table_is_a_sound_model_through_every_change()
    {
        LearnModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.set_report(std::make_shared<const jobs::FinetuneReport>(report(false)));
        QCOMPARE(model.rowCount(), 3);
        QCOMPARE(model.columnCount(), 5);
        model.set_report(std::make_shared<const jobs::FinetuneReport>(report(true)));
        QCOMPARE(model.columnCount(), 6);
        QCOMPARE(model.index(0, LearnModel::Name).data().toString(), QStringLiteral("cats & dogs"));
        QCOMPARE(model.index(2, LearnModel::Name).data().toString(), QStringLiteral("All of them"));
        QCOMPARE(model.index(1, LearnModel::Tuned).data().toString(), QStringLiteral("90 %"));
        model.set_report(nullptr);
        QCOMPARE(model.rowCount(), 0);
    }

    void folders_are_learned_and_label_the_library()
    {
        const auto folder = pictures("colours", 3, 6);
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        window.add({folder});
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), patience);
        window.show_page(Page::Train);
        TrainPage& page = window.train_page();
        tests::LoopWatch watch;
        page.learn_folder(folder);
        QVERIFY(page.learn().stop().isVisible());
        QTRY_VERIFY_WITH_TIMEOUT(page.learn().model().report() != nullptr, patience);
        QVERIFY2(watch.longest_ms() < 100, qPrintable(QStringLiteral("%1 ms").arg(watch.longest_ms())));
        QCOMPARE(page.learn().model().rowCount(), 4);
        QVERIFY(page.learn().verdict().contains("held-out files"));
        QVERIFY(!page.learn().use().isVisible());  // a layer alone: the model stays
        QVERIFY(std::filesystem::exists(page.learn().model().report()->label_set));

        QTest::mouseClick(&page.learn().label(), Qt::LeftButton);
        QCOMPARE(window.page(), Page::Label);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && window.label_page().model().rowCount() == 18, patience);
        QVERIFY2(!window.notice().isVisible(), qPrintable(window.notice().problem().all()));
        bool listed = false;
        for (const LabelChoice& choice : session.labels.choices())
            listed |= choice.file == page.learn().model().report()->label_set;
        QVERIFY(listed);
    }

    void a_network_learns_and_is_blended_anew_data()
    {
        QTest::addColumn<int>("way");
        QTest::addColumn<jobs::FinetuneMode>("mode");
        QTest::newRow("LoRA") << 2 << jobs::FinetuneMode::Lora;
        QTest::newRow("all weights") << 3 << jobs::FinetuneMode::Full;
    }
    void a_network_learns_and_is_blended_anew()
    {
        QFETCH(int, way);
        QFETCH(jobs::FinetuneMode, mode);
        const auto folder = pictures(QStringLiteral("tuned %1").arg(way), 2, 4);
        Session session(options_);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        window.show_page(Page::Train);
        LearnView& learn = window.train_page().learn();
        learn.mode().choose(way);
        QSignalSpy learned(&session.learn, &LearnService::learned);
        tests::LoopWatch watch;
        jobs::FinetuneOptions options;
        options.folder = folder;
        options.steps = 3;
        window.train_page().show_learning("Tuned", options);
        QTRY_COMPARE_WITH_TIMEOUT(learned.size(), 1, patience);
        const LearnReportPtr first = learn.model().report();
        QCOMPARE(first->mode, mode);
        QVERIFY(std::filesystem::exists(first->checkpoint) && learn.use().isVisible());
        QCOMPARE(learn.model().columnCount(), 6);
        QCOMPARE(first->blends.size(), size_t(5));
        QCOMPARE(learn.again().text(), QStringLiteral("Learn again"));

        learn.blend().setFocus();
        QTest::keyClick(&learn.blend(), Qt::Key_Home);
        for (int step = 0; step < 2 || qFuzzyCompare(learn.blend().value() / 4.0 + 1, first->blend + 1); ++step)
            QTest::keyClick(&learn.blend(), Qt::Key_Right);
        const double wanted = learn.blend().value() / 4.0;
        QCOMPARE(learn.again().text(), QStringLiteral("Blend anew"));
        QTest::mouseClick(&learn.again(), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(learned.size(), 2, patience);
        const LearnReportPtr second = learn.model().report();
        QVERIFY(second->learned_before);
        QCOMPARE(second->blend, wanted);
        QVERIFY(second->space != first->space);
        QCOMPARE(learn.again().text(), QStringLiteral("Learn again"));
        QVERIFY2(watch.longest_ms() < 100, qPrintable(QStringLiteral("%1 ms").arg(watch.longest_ms())));
        QVERIFY2(!window.notice().isVisible(), qPrintable(window.notice().problem().all()));
        for (const auto& model : session.learn.models())
            QVERIFY(!QString::fromStdString(model.string()).contains(".weights."));
    }

    void reviewed_labels_are_learned_from()
    {
        auto options = options_;
        options.library = folder_.filePath("reviewed").toStdString();
        const auto folder = pictures("reviewed media", 2, 4);
        QFile labels(folder_.filePath("sorts.toml"));
        QVERIFY(labels.open(QIODevice::WriteOnly));
        labels.write("[[label]]\nname = \"first\"\n[[label]]\nname = \"second\"\n");
        labels.close();
        const LabelChoice set{"Sorts", folder_.filePath("sorts.toml").toStdString(), true};
        Session session(options);
        MainWindow window(*theme_, session);
        window.resize(1200, 800);
        window.show();
        window.add({folder});
        QTRY_VERIFY_WITH_TIMEOUT(window.settled(), patience);
        window.show_page(Page::Label);
        LabelPage& page = window.label_page();
        page.use_set(set);
        QTRY_VERIFY_WITH_TIMEOUT(window.settled() && page.model().rowCount() == 8, patience);
        for (int said = 0; said < 8; ++said) {
            const int row = page.view().currentIndex().row();
            const int wanted = page.model().file(row).path.parent_path().filename() == "class 0" ? 0 : 1;
            const auto answers = page.model().answers(row);  // a digit gives the likeliest first
            const auto digit = std::find_if(answers.begin(), answers.end(), [&](const auto& one) { return one.label == wanted; });
            QVERIFY(digit != answers.end());
            QTest::keyClick(&page.view(), static_cast<Qt::Key>(Qt::Key_1 + (digit - answers.begin())));
            QTRY_VERIFY_WITH_TIMEOUT(window.settled(), patience);
        }
        QCOMPARE(jobs::review_state(*page.model().run()).reviewed, 8);

        window.show_page(Page::Train);
        window.train_page().learn_reviewed(set);
        QTRY_VERIFY_WITH_TIMEOUT(window.train_page().learn().model().report() != nullptr, patience);
        const LearnReportPtr report = window.train_page().learn().model().report();
        QCOMPARE(report->files, 8);
        QCOMPARE(report->classes.size(), size_t(2));
        QVERIFY2(!window.notice().isVisible(), qPrintable(window.notice().problem().all()));
    }

    void stopped_it_leaves_nothing_behind()
    {
        auto options = options_;
        options.library = folder_.filePath("stopped").toStdString();
        const auto folder = pictures("many", 3, 40);
        Session session(options);
        MainWindow window(*theme_, session);
        window.show();
        window.show_page(Page::Train);
        window.train_page().learn_folder(folder);
        QTest::mouseClick(&window.train_page().learn().stop(), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!session.learn.busy(), patience);
        QVERIFY(!window.train_page().learn().model().report());
        QVERIFY(!window.notice().isVisible());
        const auto learned = options.library / "learned";
        QVERIFY(!std::filesystem::exists(learned) || std::filesystem::is_empty(learned));
    }

    void folders_that_teach_nothing_are_told_data()
    {
        QTest::addColumn<int>("classes");
        QTest::addColumn<int>("each");
        QTest::newRow("no folder in it") << 0 << 0;
        QTest::newRow("one class") << 1 << 5;
        QTest::newRow("one picture in each") << 2 << 1;
    }
    void folders_that_teach_nothing_are_told()
    {
        QFETCH(int, classes);
        QFETCH(int, each);
        const auto folder = pictures(QStringLiteral("bad %1").arg(classes), classes, each);
        Session session(options_);
        MainWindow window(*theme_, session);
        window.show();
        window.show_page(Page::Train);
        window.train_page().learn_folder(folder);
        QTRY_VERIFY_WITH_TIMEOUT(window.notice().isVisible(), patience);
        QVERIFY2(window.notice().problem().all().contains("bad"), qPrintable(window.notice().problem().all()));
        QVERIFY(!window.notice().problem().remedy.isEmpty());
        QVERIFY(!window.train_page().learn().stop().isVisible());
    }

    void models_to_go_back_to_are_listed()
    {
        Session session(options_);
        QCOMPARE(session.learn.current_model(), options_.checkpoint);
        const auto models = session.learn.models();
        QVERIFY(std::find(models.begin(), models.end(), options_.checkpoint) != models.end());
        for (const auto& model : models)
            QVERIFY(!QString::fromStdString(model.string()).contains(".layer."));
    }
};

QTEST_MAIN(LearnPageTest)
#include "tst_learn_page.moc"
