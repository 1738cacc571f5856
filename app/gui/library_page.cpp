// SPDX-License-Identifier: Apache-2.0
// Refreshes when the library or the run changes; folder cards live as long as the list of folders stays the same.
#include "app/gui/library_page.h"

#include <QApplication>
#include <QClipboard>
#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QMimeData>
#include <QScrollArea>

#include "app/gui/figures.h"
#include "app/gui/folder_card.h"
#include "app/gui/page_header.h"
#include "app/gui/paths.h"
#include "app/gui/status_strip.h"

namespace imprint::gui {

LibraryPage::LibraryPage(const Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent), theme_(theme), session_(session), title_(label_of("title")), summary_(label_of("dim")),
      add_(new QPushButton(tr("Add folder…"))), empty_(new EmptyPage(theme)), folders_(new QVBoxLayout)
{
    setObjectName(QStringLiteral("page"));
    setAcceptDrops(true);
    title_->setText(tr("Library"));
    add_->setProperty("role", "primary");
    add_->setCursor(Qt::PointingHandCursor);

    QFrame* header = page_header(*title_, *summary_, {add_});

    auto* body = new QWidget;
    body->setObjectName(QStringLiteral("pageBody"));
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(metrics::page_margin, 20, metrics::page_margin, 20);
    column->setSpacing(12);
    run_card_ = make_run_card();
    column->addWidget(run_card_);
    auto* caption = label_of("caption");
    caption->setText(tr("FOLDERS"));
    column->addWidget(caption);
    folders_->setSpacing(8);
    column->addLayout(folders_);
    column->addSpacing(8);
    failures_card_ = make_failures_card();
    column->addWidget(failures_card_);
    column->addStretch();
    auto* area = new QScrollArea;
    area->setWidget(body);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setAccessibleName(tr("Folders, and files that could not be read"));

    empty_->tell(QStringLiteral("folder-add"), tr("Add your first folder"),
                 tr("Choose a folder with pictures, videos or sounds, or drop one here. Nothing leaves this machine."),
                 tr("Add a folder…"));
    auto* pages = new QWidget;
    stack_ = new QStackedLayout(pages);
    stack_->addWidget(area);
    stack_->addWidget(empty_);

    auto* all = new QVBoxLayout(this);
    all->setContentsMargins(0, 0, 0, 0);
    all->setSpacing(0);
    all->addWidget(header);
    all->addWidget(pages, 1);

    connect(add_, &QPushButton::clicked, this, &LibraryPage::add_folder_wanted);
    connect(empty_, &EmptyPage::clicked, this, &LibraryPage::add_folder_wanted);
    connect(&session_.library, &LibraryService::changed, this, &LibraryPage::refresh);
    connect(&session_.index, &IndexService::state_changed, this, &LibraryPage::refresh);
    connect(&session_.index, &IndexService::progressed, this, &LibraryPage::refresh_run);
    refresh();
}

QFrame* LibraryPage::make_run_card()
{
    auto* card = new QFrame;
    card->setObjectName(QStringLiteral("card"));
    card->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    run_title_ = label_of("card");
    run_numbers_ = new FigureLabel(theme_, metrics::text, FigureLabel::Tone::Dim);
    run_file_ = new FigureLabel(theme_, 12, FigureLabel::Tone::Dim);
    run_line_ = new ProgressLine(theme_);
    run_line_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    pause_ = new QPushButton(tr("Pause"));
    cancel_ = new QPushButton(tr("Stop"));
    cancel_->setToolTip(tr("Gives up what is left; what is indexed stays"));
    auto* top = new QHBoxLayout;
    top->addWidget(run_title_);
    top->addSpacing(8);
    top->addWidget(run_numbers_);
    top->addStretch();
    top->addWidget(pause_);
    top->addWidget(cancel_);
    auto* column = new QVBoxLayout(card);
    column->setContentsMargins(18, 14, 16, 14);
    column->setSpacing(8);
    column->addLayout(top);
    column->addWidget(run_line_);
    column->addWidget(run_file_);
    connect(pause_, &QPushButton::clicked, this, [this] {
        if (session_.index.state() == IndexService::State::Paused)
            session_.index.resume();
        else
            session_.index.pause();
    });
    connect(cancel_, &QPushButton::clicked, this, [this] { session_.index.cancel(); });
    return card;
}

QFrame* LibraryPage::make_failures_card()
{
    auto* card = new QFrame;
    card->setObjectName(QStringLiteral("card"));
    failures_title_ = label_of("card");
    auto* retry = new QPushButton(tr("Try again"));
    auto* copy = new QPushButton(tr("Copy list"));
    retry->setToolTip(tr("Reads these files once more"));
    card->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    failures_ = new FailureList(theme_);
    auto* top = new QHBoxLayout;
    top->addWidget(failures_title_);
    top->addStretch();
    top->addWidget(retry);
    top->addWidget(copy);
    auto* column = new QVBoxLayout(card);
    column->setContentsMargins(18, 14, 16, 12);
    column->setSpacing(8);
    column->addLayout(top);
    column->addWidget(failures_);
    connect(retry, &QPushButton::clicked, this, [this] {
        std::vector<std::filesystem::path> roots;
        for (const RootState& root : session_.library.state().roots)
            if (root.there)
                roots.push_back(root.path);
        session_.index.retry(roots);
    });
    connect(copy, &QPushButton::clicked, this, &LibraryPage::copy_failures);
    return card;
}

void LibraryPage::refresh()
{
    const LibraryState& state = session_.library.state();
    const index::Counts& counts = state.counts;
    summary_->setText(
        QStringList{counted(counts.images, tr("image"), tr("images")), counted(counts.videos, tr("video"), tr("videos")),
                    counted(counts.sounds, tr("sound"), tr("sounds")), counted(counts.moments, tr("moment"), tr("moments"))}
            .join(QStringLiteral(" · ")));
    summary_->setToolTip(shown_path(state.folder));
    const bool nothing = state.empty() && session_.index.state() == IndexService::State::Idle;
    stack_->setCurrentWidget(nothing ? static_cast<QWidget*>(empty_) : stack_->widget(0));
    add_->setVisible(!nothing);
    summary_->setVisible(!nothing);
    rebuild_folders();

    failures_card_->setVisible(!state.failures.empty());
    failures_title_->setText(
        counted(static_cast<qint64>(state.failures.size()), tr("file could not be read"), tr("files could not be read")));
    failures_->set_failures(state.failures);
    refresh_run();
}

void LibraryPage::rebuild_folders()
{
    const auto& roots = session_.library.state().roots;
    std::vector<std::filesystem::path> paths;
    for (const RootState& root : roots)
        paths.push_back(root.path);
    if (paths != folder_paths_) {
        while (QLayoutItem* item = folders_->takeAt(0)) {
            item->widget()->deleteLater();
            delete item;
        }
        folder_paths_ = paths;
        for (const RootState& root : roots) {
            auto* card = new FolderCard(theme_, root);
            folders_->addWidget(card);
            connect(card, &FolderCard::update_wanted, this, [this, path = root.path] { session_.index.add({path}); });
        }
    }
    const auto& current = session_.index.current();
    for (size_t i = 0; i < roots.size(); ++i) {
        auto* card = static_cast<FolderCard*>(folders_->itemAt(static_cast<int>(i))->widget());
        card->set_root(roots[i]);
        card->set_busy(std::find(current.begin(), current.end(), roots[i].path) != current.end());
    }
}

void LibraryPage::refresh_run()
{
    using State = IndexService::State;
    const State state = session_.index.state();
    run_card_->setVisible(state != State::Idle);
    if (state == State::Idle)
        return;
    const auto& progress = session_.index.progress();
    run_title_->setText(state == State::Paused             ? tr("Paused")
                            : state == State::Pausing      ? tr("Pausing")
                            : state == State::Stopping     ? tr("Stopping")
                            : progress.stage == "scanning" ? tr("Looking for files")
                                                           : tr("Indexing"));
    run_numbers_->set_text(progress_words(progress));
    run_line_->set_share(state == State::Paused ? std::max(0.0, progress_share(progress)) : progress_share(progress));
    run_file_->set_text(shown_path(progress.current));
    pause_->setText(state == State::Paused ? tr("Resume") : tr("Pause"));
    pause_->setEnabled(state == State::Running || state == State::Paused);
    cancel_->setEnabled(state != State::Stopping);
}

void LibraryPage::show_failures() { failures_->setFocus(); }

void LibraryPage::copy_failures() const
{
    QString text;
    for (const index::Failure& failure : session_.library.state().failures)
        text += shown_path(failure.path) + QStringLiteral(": ") + QString::fromStdString(failure.reason) + QLatin1Char('\n');
    QApplication::clipboard()->setText(text);
}

void LibraryPage::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls())
        event->acceptProposedAction();
}

void LibraryPage::dropEvent(QDropEvent* event)
{
    const auto files = files_from_others(*event->mimeData());
    if (files.empty())
        return;
    event->acceptProposedAction();
    Q_EMIT added(files);
}

}  // namespace imprint::gui
