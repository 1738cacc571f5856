// SPDX-License-Identifier: Apache-2.0
// What is remembered between runs: geometry, theme, library, and what memory.h names. A run for a screenshot remembers and
// changes nothing.
#include "app/gui/run.h"

#include <QApplication>
#include <QClipboard>
#include <QMessageBox>
#include <QPushButton>
#include <QScreen>
#include <QSettings>
#include <QTextStream>

#include "app/gui/main_window.h"
#include "app/gui/memory.h"
#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

const QString key_geometry = QStringLiteral("window/geometry");
const QString key_theme = QStringLiteral("window/theme");
const QString key_library = QStringLiteral("library");
constexpr int code_restart = 1000;  // no exit code of ours
constexpr QSize full_size{1440, 900};
constexpr QSize frame_room{16, 48};  // what a window manager puts around it
constexpr int calm_ms = 500;         // so long must nothing happen before a screenshot counts as complete

/// Opens the N-th result when the first answer to the search has come, and takes the picture when all is calm.
class Director : public QObject {
public:
    Director(MainWindow& window, const AppOptions& options) : window_(window), options_(options)
    {
        tick_.setInterval(50);
        connect(&tick_, &QTimer::timeout, this, [this] { step(); });
        tick_.start();
    }

private:
    void step()
    {
        SearchPage& search = window_.search_page();
        const bool answered = window_.settled();
        if (!searched_ && !options_.search.isEmpty() && answered) {
            // After --add: with everything indexed, the search sees all of it.
            searched_ = true;
            window_.search_for(options_.search);
            calm_ = 0;
            return;
        }
        if (!opened_ && options_.open > 0 && answered && (searched_ || options_.search.isEmpty())
            && search.results().rowCount() > 0) {
            opened_ = true;
            search.view().setFocus();
            search.open_row(options_.open - 1);
            calm_ = 0;
            return;
        }
        if (!labelled_ && !options_.labels.isEmpty() && answered) {
            labelled_ = true;
            window_.show_page(Page::Label);
            window_.label_page().use_set_named(options_.labels);
            calm_ = 0;
            return;
        }
        calm_ = answered ? calm_ + tick_.interval() : 0;
        since_ += tick_.interval();
        if (options_.screenshot.isEmpty()) {
            if ((options_.search.isEmpty() || searched_) && (options_.open == 0 || opened_)
                && (options_.labels.isEmpty() || labelled_))
                tick_.stop();
            return;
        }
        if (options_.after_ms >= 0 ? since_ >= options_.after_ms : calm_ >= calm_ms) {
            tick_.stop();
            const bool saved = window_.grab().save(options_.screenshot);
            if (!saved)
                QTextStream(stderr) << "imprint-app: " << options_.screenshot << ": the screenshot could not be written\n";
            QApplication::exit(saved ? 0 : 3);
        }
    }

    MainWindow& window_;
    const AppOptions options_;
    QTimer tick_;
    bool searched_ = false, opened_ = false, labelled_ = false;
    int calm_ = 0, since_ = 0;
};

void open_as_asked(MainWindow& window, const AppOptions& options)
{
    if (options.page == QLatin1String("library"))
        window.show_page(Page::Library);
    else if (options.page == QLatin1String("label") || !options.labels.isEmpty())
        window.show_page(Page::Label);
    else if (options.page == QLatin1String("train") || !options.run.empty())
        window.show_page(Page::Train);
    if (!options.run.empty())
        window.train_page().open_run(std::filesystem::absolute(options.run));
}

bool nothing_asked(const AppOptions& options)
{
    return options.page.isEmpty() && options.labels.isEmpty() && options.run.empty() && options.search.isEmpty()
        && options.open == 0;
}

int refuse(const Problem& problem, bool quietly)
{
    QTextStream(stderr) << "imprint-app: " << problem.all() << '\n';
    if (!quietly) {
        QMessageBox box(QMessageBox::Critical, QApplication::applicationDisplayName(), problem.title);
        box.setInformativeText(problem.subject + (problem.subject.isEmpty() ? QString() : QStringLiteral("\n")) + problem.remedy);
        box.setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
        QPushButton* copy = box.addButton(QCoreApplication::translate("Run", "Copy"), QMessageBox::ActionRole);
        box.addButton(QMessageBox::Close);
        box.exec();
        if (box.clickedButton() == copy)
            QApplication::clipboard()->setText(problem.all());
    }
    return 3;
}

}  // namespace

int run(QApplication& application, const AppOptions& options)
{
    const bool staged = !options.screenshot.isEmpty();
    QSettings settings;
    const auto remembered = static_cast<ThemeMode>(std::clamp(settings.value(key_theme, 0).toInt(), 0, 2));
    Theme theme(application, options.theme.value_or(staged ? ThemeMode::System : remembered));

    jobs::EngineOptions engine;
    engine.library = options.library;
    engine.checkpoint = options.model;
    if (engine.library.empty() && !staged) {
        engine.library = path_of(settings.value(key_library).toString());
        std::error_code ignored;  // an unplugged disk must not get an empty library in its place
        if (!std::filesystem::exists(engine.library, ignored))
            engine.library.clear();
    }
    for (bool first = true;; first = false) {
        std::unique_ptr<Session> session;
        try {
            session = std::make_unique<Session>(engine);
        } catch (const std::exception& error) {
            return refuse(problem_of(QCoreApplication::translate("Run", "open the library"), error), staged);
        }
        MainWindow window(theme, *session);
        window.resize(staged ? full_size : full_size.boundedTo(QGuiApplication::primaryScreen()->availableSize() - frame_room));
        if (!staged)
            window.restoreGeometry(settings.value(key_geometry).toByteArray());
        if (first)
            open_as_asked(window, options);
        if (!staged && (!first || nothing_asked(options)))
            recall(settings, window, *session);
        if (!staged)
            remember_indexing(settings, window, *session);
        window.show();
        if (first)
            window.add(options.add);
        const Director director(window, first ? options : AppOptions());
        QObject::connect(&window, &MainWindow::restart_wanted, &window, [] { QApplication::exit(code_restart); });
        const int code = application.exec();
        if (!staged) {
            settings.setValue(key_geometry, window.saveGeometry());
            settings.setValue(key_theme, static_cast<int>(theme.mode()));
            settings.setValue(key_library, shown_path(session->engine->library_folder()));
            remember(settings, window, *session);
        }
        if (code != code_restart)
            return code;
        engine.library = session->engine->library_folder();
        engine.checkpoint.clear();  // the library says which model it has now
    }
}

}  // namespace imprint::gui
