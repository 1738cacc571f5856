// SPDX-License-Identifier: Apache-2.0
// Every page in both themes as a picture, over the samples and the model that come with the program. The README's are made
// here: IMPRINT_SCREENS=FOLDER says where to.
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/main_window.h"
#include "app/jobs/resources.h"
#include "tests/app/gui/gui_fixture.h"

using namespace imprint;
using namespace imprint::gui;

namespace {

constexpr int patience = 200000;  // the real model, beside whatever else runs
constexpr int width = 1280, height = 800;

double luminance(const QImage& image)
{
    double sum = 0;
    for (int y = 0; y < image.height(); y += 4)
        for (int x = 0; x < image.width(); x += 4)
            sum += qGray(image.pixel(x, y)) / 255.0;
    return sum / ((image.height() + 3) / 4) / ((image.width() + 3) / 4);
}

int colours_in(const QImage& image, const QRect& part)
{
    QSet<QRgb> seen;
    for (int y = part.top(); y <= part.bottom(); y += 2)
        for (int x = part.left(); x <= part.right(); x += 2)
            seen.insert(image.pixel(x, y));
    return int(seen.size());
}

}  // namespace

class ScreensTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    QString out_;
    std::unique_ptr<Theme> theme_;
    std::unique_ptr<Session> session_;
    std::unique_ptr<MainWindow> window_;

    void arrange(Page page)
    {
        window_->show_page(page);
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled(), patience);
        QTest::qWait(400);  // what fades in has done so
    }

public:
    static void initMain() { qputenv("QT_MEDIA_BACKEND", "ffmpeg"); }

private:
    /// Some of the samples, in a folder for each class.
    std::filesystem::path sorted_samples() const
    {
        const std::pair<const char*, std::vector<const char*>> classes[] = {
            {"animals", {"cat.jpg", "raccoon.jpg", "two-dogs-at-a-window.jpg"}},
            {"plants", {"dahlia.jpg", "dandelion.jpg", "autumn-meadow.jpg", "forest-stream.jpg"}},
            {"drawings", {"drawing-guitar.png", "drawing-lighthouse.png", "drawing-pizza.png", "drawing-tram.png"}}};
        const std::filesystem::path root = folder_.filePath("My things").toStdString();
        for (const auto& [name, files] : classes) {
            std::filesystem::create_directories(root / name);
            for (const char* file : files)
                std::filesystem::copy_file(jobs::resource_folder("samples") / file, root / name / file);
        }
        return root;
    }
    /// A run of resources/recipes/tiny-cpu.toml as recorded, paused at step 120.
    std::filesystem::path paused_run() const
    {
        const QString from = QStringLiteral(IMPRINT_SOURCE_DIR "/tests/data/runs/tiny-cpu/"), to = folder_.filePath("tiny-cpu");
        QDir().mkpath(to + "/checkpoints/step-120");
        QFile recorded(from + "metrics.jsonl"), metrics(to + "/metrics.jsonl");
        if (!QFile::copy(from + "recipe.toml", to + "/recipe.toml") || !recorded.open(QIODevice::ReadOnly)
            || !metrics.open(QIODevice::WriteOnly))
            qFatal("no recorded run");
        while (!recorded.atEnd()) {
            const QByteArray line = recorded.readLine();
            if (line.contains("\"step\":120,"))
                break;
            metrics.write(line);
        }
        return to.toStdString();
    }

private Q_SLOTS:
    void initTestCase()
    {
        out_ = qEnvironmentVariable("IMPRINT_SCREENS", folder_.filePath("screens"));
        QVERIFY(QDir().mkpath(out_));
        jobs::EngineOptions options;
        options.library = folder_.filePath("library").toStdString();
        options.encoder.threads = 2;
        options.decoder = tests::decoder_options();
        theme_ = std::make_unique<Theme>(*qApp, ThemeMode::Light);
        session_ = std::make_unique<Session>(options);
        window_ = std::make_unique<MainWindow>(*theme_, *session_);
        window_->resize(width, height);
        window_->show();
        // As on a first start: the one click that leads to a first result.
        QTRY_VERIFY_WITH_TIMEOUT(window_->search_page().empty().other().isVisible(), patience);
        QElapsedTimer since;
        since.start();
        QTest::mouseClick(&window_->search_page().empty().other(), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(
            window_->search_page().results().row_of(jobs::resource_folder("samples") / "two-dogs-at-a-window.jpg") >= 0
                && !window_->search_page().results().answer().browsing,
            patience);
        qInfo("the first start led to a first result in %.1f s", double(since.elapsed()) / 1000);
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled() && session_->library.state().counts.files > 30, patience);
        window_->search_page().box().clear();
        window_->search_for("a dog");
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled() && !window_->search_page().results().answer().browsing, patience);
        SearchPage& search = window_->search_page();
        const auto film = jobs::resource_folder("samples") / "three-animals.mp4";
        QVERIFY(search.results().row_of(film) >= 0);
        search.view().setCurrentIndex(search.results().index(search.results().row_of(film)));
        window_->show_page(Page::Label);
        QFile labels(folder_.filePath("things.toml"));
        QVERIFY(labels.open(QIODevice::WriteOnly));
        for (const char* name : {"animal", "flower", "landscape", "food", "spacecraft", "drawing"})
            labels.write(QStringLiteral("[[label]]\nname = \"%1\"\n").arg(QLatin1String(name)).toUtf8());
        labels.close();
        window_->label_page().use_set({"Things", folder_.filePath("things.toml").toStdString(), true});
        window_->train_page().open_run(paused_run());
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled() && window_->label_page().model().rowCount() > 0, patience);
    }
    void cleanupTestCase()
    {
        window_.reset();
        session_.reset();
    }

    void a_page_is_drawn_whole_in_its_theme_data()
    {
        QTest::addColumn<int>("page");
        QTest::addColumn<QString>("name");
        int page = 0;
        for (const char* name : {"search", "library", "label", "train"})
            QTest::newRow(name) << page++ << QString(name);
        QTest::newRow("learn") << int(Page::Train) << QString("learn");
    }
    void a_page_is_drawn_whole_in_its_theme()
    {
        QFETCH(int, page);
        QFETCH(QString, name);
        if (name == "learn") {
            window_->train_page().learn().mode().choose(1);
            window_->train_page().learn_folder(sorted_samples());
            QTRY_VERIFY_WITH_TIMEOUT(window_->train_page().learn().model().report() != nullptr, patience);
        }
        QImage light, dark;
        for (const ThemeMode mode : {ThemeMode::Light, ThemeMode::Dark}) {
            theme_->set_mode(mode);
            arrange(static_cast<Page>(page));
            QImage& image = mode == ThemeMode::Light ? light : dark;
            image = window_->grab().toImage();
            QCOMPARE(image.size() / image.devicePixelRatio(), QSize(width, height));
            QVERIFY(image.save(QStringLiteral("%1/%2-%3.png").arg(out_, name, mode == ThemeMode::Light ? "light" : "dark")));
            // The side bar, the page's head and its body all show something.
            for (const QRect& part : {QRect(0, 0, 220, height), QRect(230, 0, 900, 80), QRect(230, 110, 900, 500)})
                QVERIFY2(colours_in(image, part) > 12, qPrintable(QStringLiteral("%1 is blank at %2").arg(name).arg(part.top())));
        }
        QVERIFY2(luminance(light) > 0.75, qPrintable(QString::number(luminance(light))));
        QVERIFY2(luminance(dark) < 0.3, qPrintable(QString::number(luminance(dark))));
        QVERIFY(!window_->notice().isVisible());
    }
};

QTEST_MAIN(ScreensTest)
#include "tst_screens.moc"
