// SPDX-License-Identifier: Apache-2.0
// A verdict shows at once and is written behind; one that cannot be written is taken back.
#include "app/gui/label_page.h"

#include <QApplication>
#include <QDesktopServices>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QMenu>
#include <QUrl>
#include <QVBoxLayout>

#include "app/gui/figures.h"
#include "app/gui/icons.h"
#include "app/gui/page_header.h"
#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

constexpr int settle_ms = 120;

}  // namespace

LabelPage::LabelPage(const Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent), theme_(theme), session_(session), view_(new ReviewView(theme, session.thumbnails, model_)),
      stats_(new LabelStats(theme, session.thumbnails)), empty_(new EmptyPage(theme)), title_(label_of("title")),
      summary_(label_of("dim")), hint_(label_of("dim")), progress_(label_of("dim")), line_(new ProgressLine(theme)),
      set_(new QPushButton(tr("Choose labels"))), again_(new QPushButton(tr("Label again"))),
      edit_(new QPushButton(tr("Edit labels"))), export_(new QPushButton(tr("Export"))),
      keep_(new QPushButton(tr("Keep labels"))), show_(new Segmented(tr("Show"), {tr("Review"), tr("Reviewed"), tr("All")}))
{
    setObjectName(QStringLiteral("page"));
    hint_->setText(tr("A digit answers, 0 is none, Space accepts, J K move, L plays, Z undoes"));

    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(metrics::page_margin, 12, metrics::page_margin, 4);
    bar->setSpacing(12);
    bar->addWidget(show_);
    bar->addStretch();
    bar->addWidget(progress_);
    bar->addWidget(line_);
    auto* list = new QVBoxLayout;
    list->setSpacing(0);
    list->addLayout(bar);
    hint_->setContentsMargins(metrics::page_margin + 2, 0, metrics::page_margin, 6);
    list->addWidget(hint_);
    auto* inset = new QHBoxLayout;
    inset->setContentsMargins(metrics::page_margin, 0, 8, 8);
    inset->addWidget(view_);
    list->addLayout(inset, 1);
    auto* work = new QWidget;
    auto* columns = new QHBoxLayout(work);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(0);
    columns->addLayout(list, 1);
    columns->addWidget(stats_);

    auto* body = new QWidget;
    stack_ = new QStackedLayout(body);
    stack_->addWidget(empty_);
    stack_->addWidget(work);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(make_header());
    column->addWidget(body, 1);

    settle_.setSingleShot(true);
    settle_.setInterval(settle_ms);
    connect_all();
    refresh_choices();
    show_state();
}

QWidget* LabelPage::make_header()
{
    QFrame* header = page_header(*title_, *summary_, {set_, again_, edit_, export_, keep_});
    keep_->setProperty("role", "primary");
    keep_->setToolTip(tr("Puts the labels into the library, where search finds them; what you said yourself is there already"));
    auto* formats = new QMenu(export_);
    const std::tuple<QString, jobs::ExportFormat, QString> kinds[] = {
        {tr("Table (CSV)"), jobs::ExportFormat::Csv, QStringLiteral("csv")},
        {tr("JSON Lines"), jobs::ExportFormat::JsonLines, QStringLiteral("jsonl")},
        {tr("COCO, for images"), jobs::ExportFormat::Coco, QStringLiteral("json")},
        {tr("WebVTT, for one video or sound"), jobs::ExportFormat::WebVtt, QStringLiteral("vtt")}};
    for (const auto& [text, format, ending] : kinds)
        connect(formats->addAction(text), &QAction::triggered, this,
                [this, format = format, ending = ending] { export_as(format, ending); });
    export_->setMenu(formats);
    set_->setMenu(new QMenu(set_));
    return header;
}

void LabelPage::connect_all()
{
    connect(set_->menu(), &QMenu::aboutToShow, this, &LabelPage::refresh_choices);
    connect(again_, &QPushButton::clicked, this, [this] {
        if (chosen_)
            use_set(*chosen_);
    });
    connect(edit_, &QPushButton::clicked, this, &LabelPage::edit_set);
    connect(keep_, &QPushButton::clicked, this, [this] {
        jobs::gather_files(*model_.run());
        session_.labels.apply(*model_.run());
    });
    connect(empty_, &EmptyPage::clicked, this, [this] {
        if (session_.library.state().counts.files == 0)
            Q_EMIT add_folder_wanted();
        else if (chosen_ && !model_.run())
            stop();
        else
            empty_->show_menu(*set_->menu(), empty_->button());
    });
    connect(show_, &Segmented::chosen_changed, this, [this](int which) {
        model_.set_show(static_cast<ReviewModel::Show>(which));
        if (model_.rowCount() > 0)
            view_->setCurrentIndex(model_.index(0));
    });
    connect(view_, &ReviewView::said, this, &LabelPage::say);
    connect(view_, &ReviewView::undo_wanted, this, &LabelPage::undo);
    connect(view_, &ReviewView::look_wanted, this, [this] { stats_->toggle_play(); });
    connect(view_, &ReviewView::current_changed, this, [this](int row) {
        if (row >= 0)
            stats_->show_moment(model_.file(row), model_.moment(row).moment);
    });
    connect(stats_, &LabelStats::failed, this, &LabelPage::failed);
    connect(&settle_, &QTimer::timeout, this, [this] {
        jobs::gather_files(*model_.run());
        stats_->show_run(*model_.run());
    });
    LabelService& labels = session_.labels;
    connect(&labels, &LabelService::progressed, this, [this](double share) { line_->set_share(share); });
    connect(&labels, &LabelService::labelled, this, &LabelPage::take);
    connect(&labels, &LabelService::kept, this,
            [this](qint64 n) { summary_->setText(tr("%1 are in the library now").arg(counted(n, tr("label"), tr("labels")))); });
    connect(&labels, &LabelService::exported, this,
            [this](const std::filesystem::path& file) { summary_->setText(tr("Written to %1").arg(shown_path(file))); });
    connect(&labels, &LabelService::progressed, this, [this](double share) {
        share_ = share;
        if (chosen_ && !model_.run())
            show_state();
    });
    connect(&labels, &LabelService::failed, this, [this](const Problem& problem) {
        if (!model_.run()) {
            chosen_.reset();
            show_state();
        }
        Q_EMIT failed(problem);
    });
}

void LabelPage::refresh_choices()
{
    set_->menu()->clear();
    for (const LabelChoice& choice : session_.labels.choices())
        connect(set_->menu()->addAction(choice.own ? tr("%1 (yours)").arg(choice.name) : choice.name), &QAction::triggered, this,
                [this, choice] { use_set(choice); });
}

QString LabelPage::chosen_name() const { return model_.run() ? QString::fromStdString(model_.run()->set.name) : chosen_->name; }

void LabelPage::set_filter(const index::Filter& filter)
{
    filter_ = filter;
    if (chosen_)
        use_set(*chosen_);
}

void LabelPage::use_set(const LabelChoice& choice)
{
    chosen_ = choice;
    share_ = 0;
    said_.clear();
    settle_.stop();
    stats_->stop();
    model_.set_run(nullptr, {});
    if (session_.library.state().counts.files > 0)
        session_.labels.run(choice.file, filter_);
    show_state();
}

void LabelPage::stop()
{
    session_.labels.stop();
    chosen_.reset();
    show_state();
}

void LabelPage::use_set_named(const QString& name)
{
    for (const LabelChoice& choice : session_.labels.choices())
        if (choice.name.compare(name, Qt::CaseInsensitive) == 0)
            return use_set(choice);
    Q_EMIT failed({tr("Could not label: there is no label set of this name."), name, tr("Choose one of those in the menu."), {}});
}

void LabelPage::library_changed()
{
    if (!model_.run())
        show_state();
}

void LabelPage::take(const LabelRunPtr& run, std::vector<jobs::ReviewItem> queue)
{
    model_.set_run(run, std::move(queue));
    stats_->show_run(*run);
    show_state();
    if (model_.rowCount() > 0) {
        view_->setCurrentIndex(model_.index(0));
        if (isVisible())
            view_->setFocus();
    }
}

void LabelPage::say(int row, int label)
{
    const jobs::ReviewItem item = model_.item(row);
    const jobs::LabelledMoment& moment = model_.moment(row);
    said_.push_back({item, moment.verdict, moment.drawn});
    keep(item, label);
    view_->go_on();
}

void LabelPage::undo()
{
    if (said_.empty())
        return;
    const Said last = said_.back();
    said_.pop_back();
    // Taking back a verdict gives the one from before, with how its moment had been chosen.
    jobs::ReviewItem item = last.item;
    item.drawn = last.before ? last.drawn_before : item.drawn;
    keep(item, last.before);
    if (const int row = model_.row_of(item.moment); row >= 0)
        view_->setCurrentIndex(model_.index(row));
}

void LabelPage::keep(const jobs::ReviewItem& item, std::optional<int> verdict)
{
    const int label = verdict.value_or(jobs::LabelledMoment::kNone);
    if (label == jobs::LabelledMoment::kOther)
        return;  // of a label that the set no longer has: it stays as it is
    const std::optional<int> before = model_.run()->moments[item.moment].verdict;
    const bool drawn_before = model_.run()->moments[item.moment].drawn;
    session_.labels.review(jobs::verdict_on(*model_.run(), item, label), verdict.has_value(),
                           [this, moment = item.moment, before, drawn_before, run = model_.run()] {
                               if (model_.run() != run)
                                   return;
                               model_.set_verdict(moment, before, drawn_before);
                               show_progress();
                               settle_.start();
                           });
    model_.set_verdict(item.moment, verdict, item.drawn);
    show_progress();
    settle_.start();
}

void LabelPage::show_progress()
{
    const int all = model_.queued(), done = all - (model_.run() ? model_.left() : 0);
    progress_->setText(tr("%1 of %2 reviewed").arg(format_count(done), format_count(all)));
    line_->set_share(all > 0 ? double(done) / all : 0);
}

void LabelPage::show_state()
{
    // What has the focus may be hidden below; Qt would hand it on to something outside the page.
    const QWidget* const focused = QApplication::focusWidget();
    const bool here = focused && isAncestorOf(focused);
    tell_state();
    if (!here || focused->isVisible())
        return;
    if (stack_->currentIndex() == 1)
        view_->setFocus();
    else
        (empty_->button().isVisible() ? &empty_->button() : set_)->setFocus();
}

void LabelPage::tell_state()
{
    const bool any_file = session_.library.state().counts.files > 0, labelled = model_.run() != nullptr;
    const bool any_moment = labelled && !model_.run()->moments.empty();
    title_->setText(chosen_ ? chosen_name() : tr("Label"));
    for (QPushButton* button : {again_, edit_})
        button->setVisible(chosen_.has_value() && any_file);
    for (QPushButton* button : {export_, keep_})
        button->setVisible(any_moment);
    set_->setVisible(any_file);
    stack_->setCurrentIndex(any_moment ? 1 : 0);
    summary_->setVisible(any_moment);
    if (any_moment) {
        const jobs::LabelRun& run = *model_.run();
        summary_->setText(tr("%1 · %2 · %3 · labelled without training in %4 s")
                              .arg(counted(qint64(run.set.classes.size()), tr("label"), tr("labels")),
                                   counted(qint64(run.files.size()), tr("file"), tr("files")),
                                   counted(qint64(run.moments.size()), tr("moment"), tr("moments")))
                              .arg(figures_locale().toString(run.seconds, 'f', 1)));
        show_progress();
        return;
    }
    if (!any_file)
        empty_->tell(QStringLiteral("folder-add"), tr("Add a folder first"),
                     tr("Labels go onto what is in the library. Add a folder with pictures, videos or sounds."),
                     tr("Add folder…"));
    else if (labelled)
        empty_->tell(QStringLiteral("tag"), tr("Nothing to label here"),
                     tr("This set looks at something that none of the chosen files has. Choose another set, or other filters."),
                     {});
    else if (chosen_)
        empty_->tell(QStringLiteral("tag"), share_ > 0 ? tr("Labelling… %1 %").arg(int(100 * share_)) : tr("Labelling…"),
                     tr("Every moment is held against the labels. No file is read again. The sentences for a label are "
                        "read once; the next time it is quick."),
                     tr("Stop"));
    else
        empty_->tell(QStringLiteral("tag"), tr("Label without training"),
                     tr("Choose a set of labels. Each moment gets the one that fits, or none; you look over what is uncertain."),
                     tr("Choose labels"));
}

void LabelPage::export_as(jobs::ExportFormat format, const QString& ending)
{
    auto* dialog = new QFileDialog(this, tr("Export labels"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(ending);
    dialog->selectFile(chosen_name() + QLatin1Char('.') + ending);
    connect(dialog, &QFileDialog::fileSelected, this, [this, format, run = model_.run()](const QString& file) {
        jobs::gather_files(*run);
        session_.labels.write(*run, format, path_of(file));
    });
    dialog->open();
}

void LabelPage::edit_set()
{
    try {
        chosen_->file = session_.labels.editable(*chosen_);
        chosen_->own = true;
    } catch (const Error& error) {
        Q_EMIT failed(problem_of(tr("edit the labels"), error));
        return;
    }
    if (!QDesktopServices::openUrl(QUrl::fromLocalFile(shown_path(chosen_->file))))
        Q_EMIT failed({tr("Could not open the label set: the system has no program for text files."),
                       shown_path(chosen_->file),
                       tr("Open it in an editor yourself, then press “Label again”."),
                       {}});
}

}  // namespace imprint::gui
