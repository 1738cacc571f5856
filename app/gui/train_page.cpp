// SPDX-License-Identifier: Apache-2.0
// One of three things is shown: nothing yet, a run, or what is being learned.
#include "app/gui/train_page.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QVBoxLayout>

#include "app/gui/icons.h"
#include "app/gui/page_header.h"
#include "app/gui/paths.h"

namespace imprint::gui {

TrainPage::TrainPage(const Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent), theme_(theme), session_(session), title_(label_of("title")), summary_(label_of("dim")),
      pause_(new QPushButton), open_(new QPushButton(tr("Open run"))), start_(new QPushButton(tr("Start from a recipe"))),
      use_(new QPushButton(tr("Use this model"))), learn_(new QPushButton(tr("Learn from folders"))),
      model_(new QPushButton(tr("Model"))), empty_(new EmptyPage(theme)), run_(new RunView(theme)),
      learn_view_(new LearnView(theme, session.learn))
{
    setObjectName(QStringLiteral("page"));
    auto* body = new QWidget;
    stack_ = new QStackedLayout(body);
    stack_->addWidget(empty_);
    stack_->addWidget(run_);
    stack_->addWidget(learn_view_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(make_header());
    column->addWidget(body, 1);
    empty_->tell(QStringLiteral("train"), tr("Teach it your own classes"),
                 tr("Choose a folder that holds a folder of pictures, videos or sounds for each class; three of each are enough "
                    "to begin with. Or train a whole model from a recipe, in a process of its own."),
                 tr("Choose a folder…"), tr("Start from a recipe"));

    connect(empty_, &EmptyPage::clicked, this, &TrainPage::choose_folder);
    connect(empty_, &EmptyPage::other_clicked, this, [this] { empty_->show_menu(*start_->menu(), empty_->other()); });
    connect(learn_->menu(), &QMenu::aboutToShow, this, &TrainPage::fill_learn_menu);
    connect(model_->menu(), &QMenu::aboutToShow, this, &TrainPage::fill_model_menu);
    connect(&session_.learn, &LearnService::failed, this, &TrainPage::failed);
    connect(learn_view_, &LearnView::use_model_wanted, this, &TrainPage::use_model_wanted);
    connect(learn_view_, &LearnView::label_wanted, this, &TrainPage::label_wanted);
    connect(start_->menu(), &QMenu::aboutToShow, this, &TrainPage::fill_start_menu);
    connect(open_->menu(), &QMenu::aboutToShow, this, &TrainPage::fill_open_menu);
    connect(pause_, &QPushButton::clicked, this, [this] {
        if (session_.runs.state() == RunService::State::Paused)
            session_.runs.resume();
        else
            session_.runs.pause();
    });
    connect(use_, &QPushButton::clicked, this, [this] { Q_EMIT use_model_wanted(session_.runs.picture().status.checkpoint); });
    connect(&session_.runs, &RunService::changed, this, &TrainPage::show_state);
    connect(&session_.runs, &RunService::failed, this, &TrainPage::failed);
    connect(&theme_, &Theme::changed, this, &TrainPage::show_state);
    show_state();
}

QWidget* TrainPage::make_header()
{
    QFrame* header = page_header(*title_, *summary_, {model_, pause_, open_, start_, learn_, use_});
    use_->setProperty("role", "primary");
    use_->setToolTip(tr("Reads the library again for it, in the background; until that is done the model of now answers"));
    for (QPushButton* button : {start_, open_, learn_, model_})
        button->setMenu(new QMenu(button));
    model_->setToolTip(tr("The model that reads and answers; vectors of the others stay, so that going back costs nothing"));
    open_->setToolTip(tr("Also one that was started elsewhere: its folder is all that is needed"));
    pause_->setIconSize({14, 14});
    return header;
}

void TrainPage::open_run(const std::filesystem::path& run)
{
    learned_.clear();
    session_.runs.open(run);
}

void TrainPage::start(const std::filesystem::path& recipe)
{
    learned_.clear();
    session_.runs.start(recipe);
}

void TrainPage::learn_folder(const std::filesystem::path& folder)
{
    jobs::FinetuneOptions options;
    options.folder = folder;
    show_learning(shown_name(folder), options);
}

void TrainPage::learn_reviewed(const LabelChoice& set)
{
    jobs::FinetuneOptions options;
    options.from_labels = set.file.native();
    show_learning(set.name, options);
}

void TrainPage::show_learning(const QString& name, const jobs::FinetuneOptions& options)
{
    if (session_.learn.busy()) {
        Q_EMIT failed({tr("Could not begin to learn: something else is being learned."), learned_,
                       tr("Wait until that is done, or stop it."), ErrorKind::Busy});
        return;
    }
    learned_ = name;
    learn_view_->start(options);
    show_state();
}

void TrainPage::show_state()
{
    using State = RunService::State;
    const State state = session_.runs.state();
    const RunPicture& picture = session_.runs.picture();
    stack_->setCurrentIndex(!learned_.isEmpty() ? 2 : state == State::None ? 0 : 1);
    if (!learned_.isEmpty()) {
        title_->setText(tr("Learn “%1”").arg(learned_));
        summary_->setText(tr("A fifth of the files is held out; nothing that is learned sees them."));
        summary_->show();
        for (QPushButton* button : {pause_, use_})
            button->hide();
        return;
    }
    title_->setText(state == State::None ? tr("Train") : picture.name);
    summary_->setText(state == State::Starting ? tr("starting: the recipe and its data are read")
                          : state == State::Running
                          ? tr("training in a process of its own; it goes on when this window is closed")
                          : state == State::Pausing ? tr("pausing: the state is being written")
                          : state == State::Paused
                          ? (picture.status.elsewhere ? tr("trained on %1").arg(QString::fromStdString(picture.status.host))
                                 : picture.status.saved_step ? tr("paused")
                                                             : tr("not running"))
                          : state == State::Finished ? tr("finished: %1").arg(shown_path(picture.status.checkpoint))
                                                     : QString());
    summary_->setVisible(state != State::None);
    const bool resumable = state == State::Paused && picture.status.saved_step;
    pause_->setVisible(state == State::Running || state == State::Pausing || resumable);
    use_->setVisible(state == State::Finished);
    pause_->setEnabled(state != State::Pausing);
    pause_->setText(resumable ? tr("Resume") : tr("Pause"));
    pause_->setIcon(icon(resumable ? QStringLiteral("play") : QStringLiteral("pause"), theme_.colours().ink, 14));
    if (state != State::None)
        run_->show_run(picture, state);
}

}  // namespace imprint::gui
