// SPDX-License-Identifier: Apache-2.0
// Pages know their services; only the window knows all pages.
#include "app/gui/main_window.h"

#include <QFileDialog>
#include <QHBoxLayout>
#include <QShortcut>

#include "app/gui/icons.h"
#include "app/gui/paths.h"
#include "app/jobs/resources.h"

namespace imprint::gui {

MainWindow::MainWindow(Theme& theme, Session& session, QWidget* parent)
    : QMainWindow(parent), theme_(theme), session_(session), side_(new SideBar(theme)), pages_(new QStackedWidget),
      search_(new SearchPage(theme, session)), library_(new LibraryPage(theme, session)), label_(new LabelPage(theme, session)),
      train_(new TrainPage(theme, session)), notice_(new NoticeBar(theme)), status_(new StatusStrip(theme, session.index))
{
    setWindowTitle(tr("Imprint"));
    setWindowIcon(QIcon(icon_pixmap(QStringLiteral("imprint"), Qt::black, 128)));
    pages_->addWidget(search_);
    pages_->addWidget(library_);
    pages_->addWidget(label_);
    pages_->addWidget(train_);

    auto* notice_room = new QWidget;
    notice_room->setObjectName(QStringLiteral("page"));
    auto* around = new QVBoxLayout(notice_room);
    around->setContentsMargins(metrics::page_margin, 0, metrics::page_margin, 0);
    around->addWidget(notice_);

    auto* right = new QVBoxLayout;
    right->setSpacing(0);
    right->addWidget(pages_, 1);
    right->addWidget(notice_room);
    right->addWidget(status_);
    auto* centre = new QWidget;
    centre->setObjectName(QStringLiteral("page"));
    auto* row = new QHBoxLayout(centre);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(side_);
    row->addLayout(right, 1);
    setCentralWidget(centre);
    setMinimumSize(880, 560);

    refresh_.setInterval(2000);
    connect_all();
    connect_problems();
    make_shortcuts();
    session_.library.refresh();
    session_.search.prepare();
    search_->set_filter({});
    search_->box().line().setFocus();
}

void MainWindow::connect_all()
{
    connect(side_, &SideBar::page_wanted, this, &MainWindow::show_page);
    connect(side_, &SideBar::filter_changed, this, [this] {
        search_->set_filter(side_->filter());
        if (const auto folders = side_->filter().folders; folders.size() == 1)
            session_.index.look_at(folders.front());
        label_->set_filter(side_->filter());
    });
    connect(search_, &SearchPage::add_folder_wanted, this, &MainWindow::choose_folder);
    connect(search_, &SearchPage::samples_wanted, this, &MainWindow::try_samples);
    connect(library_, &LibraryPage::add_folder_wanted, this, &MainWindow::choose_folder);
    connect(label_, &LabelPage::add_folder_wanted, this, &MainWindow::choose_folder);
    connect(library_, &LibraryPage::added, this, &MainWindow::add);
    connect(search_, &SearchPage::folders_dropped, this, &MainWindow::add);
    connect(status_, &StatusStrip::failures_wanted, this, [this] {
        show_page(Page::Library);
        library_->show_failures();
    });
    connect(&session_.library, &LibraryService::changed, this, [this] {
        const LibraryState& state = session_.library.state();
        const int64_t before = property("shownFiles").toLongLong();
        side_->show_library(state);
        status_->set_failures(state.counts.failed);
        setProperty("shownFiles", QVariant::fromValue<qlonglong>(state.counts.files));
        if (switched_)
            return;
        // New files join what is shown, also while the run goes on.
        if (before != state.counts.files || search_->results().rowCount() == 0)
            search_->library_changed();
        label_->library_changed();
    });
    connect(&session_.clips, &Clips::saved, this,
            [this](const std::filesystem::path& file) { status_->say(tr("Written to %1").arg(shown_path(file))); });
    connect(train_, &TrainPage::label_wanted, this, [this](const std::filesystem::path& set) {
        show_page(Page::Label);
        label_->use_set({shown_name(set.stem()), set, true});
    });
    connect(train_, &TrainPage::use_model_wanted, this, &MainWindow::use_model);
    connect(&session_.search, &SearchService::ready, status_, &StatusStrip::set_model);
    connect(&session_.index, &IndexService::state_changed, this, [this] {
        if (session_.index.state() == IndexService::State::Running)
            refresh_.start();
        else
            refresh_.stop();
    });
    connect(&session_.index, &IndexService::model_switched, this, [this] {
        switched_ = true;
        Q_EMIT restart_wanted();
    });
    connect(&refresh_, &QTimer::timeout, this, [this] {
        // Counting a large library takes a while: less often then.
        refresh_.setInterval(session_.library.state().counts.files > 20'000 ? 10'000 : 2000);
        session_.library.refresh();
    });
    connect(&session_.index, &IndexService::finished, this, [this] { session_.library.refresh(); });
}

/// A problem is told once, and taken away when the same thing has gone well.
void MainWindow::connect_problems()
{
    const auto tell = [this](const QObject* of) {
        return [this, of](const Problem& problem) { notice_->show_problem(problem, of); };
    };
    const auto mended = [this](const QObject* of) { return [this, of] { notice_->mended(of); }; };
    connect(&session_.library, &LibraryService::failed, this, tell(&session_.library));
    connect(search_, &SearchPage::failed, this, tell(search_));
    connect(label_, &LabelPage::failed, this, tell(label_));
    connect(train_, &TrainPage::failed, this, tell(train_));
    connect(&session_.index, &IndexService::failed, this, tell(&session_.index));
    connect(&session_.search, &SearchService::failed, this, [this, tell](const Problem& problem) {
        // A question may fall between the library's switch to another model and the window's.
        if (problem.kind != ErrorKind::Unsupported || !(switched_ || !session_.index.model().empty()))
            tell (&session_.search)(problem);
    });
    connect(&session_.search, &SearchService::found, this, mended(&session_.search));
    connect(&session_.library, &LibraryService::rated, this, mended(&session_.library));
    connect(&session_.clips, &Clips::saved, this, mended(search_));
    connect(&session_.labels, &LabelService::labelled, this, mended(label_));
    connect(&session_.labels, &LabelService::kept, this, mended(label_));
    connect(&session_.labels, &LabelService::exported, this, mended(label_));
    connect(&session_.learn, &LearnService::learned, this, mended(train_));
    connect(&session_.index, &IndexService::state_changed, this, [this, mended] {
        if (session_.index.state() == IndexService::State::Running)
            mended (&session_.index)();
    });
}

void MainWindow::make_shortcuts()
{
    const auto shortcut = [this](const QKeySequence& keys, auto call) {
        connect(new QShortcut(keys, this), &QShortcut::activated, this, call);
    };
    shortcut(QKeySequence(Qt::CTRL | Qt::Key_1), [this] { show_page(Page::Search); });
    shortcut(QKeySequence(Qt::CTRL | Qt::Key_2), [this] { show_page(Page::Library); });
    shortcut(QKeySequence(Qt::CTRL | Qt::Key_3), [this] { show_page(Page::Label); });
    shortcut(QKeySequence(Qt::CTRL | Qt::Key_4), [this] { show_page(Page::Train); });
    shortcut(QKeySequence::Find, [this] {
        show_page(Page::Search);
        search_->box().focus_line();
    });
    shortcut(QKeySequence::Open, [this] { choose_folder(); });
    shortcut(QKeySequence::Quit, [this] { close(); });
}

void MainWindow::show_page(Page page)
{
    side_->set_page(page);
    pages_->setCurrentIndex(static_cast<int>(page));
    if (page == Page::Search)
        search_->box().line().setFocus();
    else
        search_->preview().stop();
    if (page == Page::Label)
        label_->view().setFocus();
    else
        label_->stats().stop();
}

void MainWindow::choose_folder()
{
    auto* dialog = new QFileDialog(this, tr("Add a folder"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::filesSelected, this, [this](const QStringList& chosen) {
        std::vector<std::filesystem::path> paths;
        for (const QString& path : chosen)
            paths.push_back(path_of(path));
        add(paths);
    });
    dialog->open();
}

void MainWindow::try_samples()
{
    try {
        session_.index.add({jobs::resource_folder("samples")});
        search_for(tr("a dog at a window"));  // the first question is asked for them; what fits appears as it is read
    } catch (const Error& error) {
        notice_->show_problem(problem_of(tr("find the samples"), error));
    }
}

void MainWindow::add(const std::vector<std::filesystem::path>& paths)
{
    if (paths.empty())
        return;
    session_.index.add(paths);
    show_page(Page::Library);
}

void MainWindow::search_for(const QString& text)
{
    show_page(Page::Search);
    search_->box().set_typed(text);
    search_->box().commit();
}

bool MainWindow::settled() const
{
    return session_.index.state() == IndexService::State::Idle && session_.library.known() && !session_.library.busy()
        && search_->settled() && label_->settled() && train_->settled();
}

}  // namespace imprint::gui
