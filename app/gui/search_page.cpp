// SPDX-License-Identifier: Apache-2.0
// Every answer holds also what lies below the cut, so that the slider needs no new search.
#include "app/gui/search_page.h"

#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QMimeData>
#include <QScrollBar>
#include <QShortcut>
#include <cmath>

#include "app/gui/figures.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"
#include "app/jobs/clip.h"

namespace imprint::gui {

using Role = jobs::QueryPart::Role;

SearchPage::SearchPage(const Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent), theme_(theme), session_(session), box_(new QueryBox(theme, session.thumbnails)),
      senses_(new Segmented(tr("Search in"), {tr("Picture"), tr("Sound"), tr("Both")})), reading_(new ReadingLine),
      tally_(new FigureLabel(theme, metrics::text, FigureLabel::Tone::Dim)), cut_(new CutSlider(theme)), order_(new QPushButton),
      concepts_(new ConceptMenu(theme)), view_(new ResultsView(theme, session.thumbnails)),
      preview_(new PreviewPanel(theme, session.thumbnails)), ratings_(new Ratings(results_, *view_, session.library, *this)),
      empty_(new EmptyPage(theme)), split_(new QSplitter)
{
    setObjectName(QStringLiteral("page"));
    senses_->choose(2);
    view_->set_results(&results_);
    order_->setProperty("role", "quiet");
    order_->setAccessibleName(tr("Sort"));
    auto* orders = new QMenu(order_);
    auto* group = new QActionGroup(orders);
    const std::pair<QString, Order> ways[] = {{tr("Sort: relevance"), Order::Relevance},
                                              {tr("Sort: newest first"), Order::Newest},
                                              {tr("Sort: oldest first"), Order::Oldest},
                                              {tr("Sort: name"), Order::Name}};
    for (const auto& [text, way] : ways) {
        QAction* action = group->addAction(orders->addAction(text));
        action->setCheckable(true);
        action->setChecked(way == Order::Relevance);
        connect(action, &QAction::triggered, this, [this, text = text, way = way] {
            order_->setText(text);
            results_.set_order(way);
        });
    }
    order_->setText(ways[0].first);
    order_->setMenu(orders);
    order_->setLayoutDirection(Qt::RightToLeft);
    order_->setIconSize({12, 12});

    auto* header = new QFrame;
    header->setObjectName(QStringLiteral("pageHeader"));
    auto* top = new QHBoxLayout;
    top->setSpacing(10);
    top->addWidget(box_, 1);
    top->addWidget(senses_, 0, Qt::AlignTop);
    bar_ = new QWidget;
    auto* bar = new QHBoxLayout(bar_);
    bar->setContentsMargins(0, 0, 0, 0);
    bar->setSpacing(16);
    bar->addWidget(tally_);
    bar->addWidget(cut_);
    bar->addStretch();
    bar->addWidget(concepts_);
    bar->addWidget(order_);
    auto* head = new QVBoxLayout(header);
    head->setContentsMargins(metrics::page_margin, 16, metrics::page_margin, 8);
    head->setSpacing(8);
    head->addLayout(top);
    head->addWidget(reading_);
    head->addWidget(bar_);

    grid_ = new QWidget;
    grid_or_empty_ = new QStackedLayout(grid_);
    grid_or_empty_->addWidget(view_);
    grid_or_empty_->addWidget(empty_);
    split_->addWidget(grid_);
    split_->addWidget(preview_);
    split_->setStretchFactor(0, 1);
    split_->setStretchFactor(1, 0);
    split_->setHandleWidth(1);
    split_->setChildrenCollapsible(false);
    preview_->hide();

    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(header);
    column->addWidget(split_, 1);

    pause_.setSingleShot(true);
    pause_.setInterval(pause_ms);
    connect(&pause_, &QTimer::timeout, this, &SearchPage::ask);
    connect(box_, &QueryBox::edited, this, [this] { pause_.start(); });
    connect(box_, &QueryBox::submitted, this, [this] {
        pause_.stop();
        ask();
    });
    connect(box_, &QueryBox::left_down, this, [this] {
        if (results_.rowCount() == 0)
            return;
        view_->setFocus();
        if (!view_->currentIndex().isValid())
            view_->setCurrentIndex(results_.index(0));
    });
    connect(senses_, &Segmented::chosen_changed, this, &SearchPage::ask);
    connect(reading_, &ReadingLine::literal_wanted, this, [this] {
        box_->take_literally();
        box_->line().setFocus();
    });
    connect(cut_, &QAbstractSlider::valueChanged, this, [this] {
        results_.set_cut(cut_->cut());
        show_tally();
        show_empty();
    });
    connect(&results_, &QAbstractItemModel::modelReset, this, [this] { show_tally(); });
    connect(&session_.search, &SearchService::found, this, &SearchPage::take);
    connect(&session_.search, &SearchService::relevance, preview_, &PreviewPanel::show_relevance);
    connect(&session_.search, &SearchService::failed, this, [this](const Problem& problem) {
        waiting_ = false;
        if (!results_.answer().hits) {  // nothing was ever shown: the page itself must say why
            unopened_ = problem;
            show_tally();
            show_empty();
        }
    });
    connect(view_->selectionModel(), &QItemSelectionModel::currentChanged, this, &SearchPage::show_current);
    connect(view_, &ResultsView::opened, this, [this](int row) {
        open_row(row);
        expand(true);
        preview_->setFocus();
    });
    connect(view_, &ResultsView::play_wanted, this, [this] { preview_->toggle_play(); });
    connect(view_, &ResultsView::typed, this, [this](const QString& text) {
        box_->line().setFocus();
        box_->set_typed(box_->line().text() + text);
    });
    connect(view_, &ResultsView::listen_wanted, this, &SearchPage::listen);
    connect(box_, &QueryBox::folders_dropped, this, &SearchPage::folders_dropped);
    connect(view_, &ResultsView::menu_wanted, this, &SearchPage::open_menu);
    connect(preview_, &PreviewPanel::more_wanted, this,
            [this](const auto& file, const index::Moment& moment) { judge(file, moment, Role::More); });
    connect(preview_, &PreviewPanel::less_wanted, this,
            [this](const auto& file, const index::Moment& moment) { judge(file, moment, Role::Less); });
    connect(preview_, &PreviewPanel::similar_wanted, this, &SearchPage::find_similar);
    connect_concepts();
    connect_clips();
    connect_ratings();
    connect(preview_, &PreviewPanel::expand_wanted, this, &SearchPage::expand);
    connect(preview_, &PreviewPanel::failed, this, &SearchPage::failed);
    connect(empty_, &EmptyPage::clicked, this, [this] {
        if (session_.library.state().empty())
            Q_EMIT add_folder_wanted();
        else if (!results_.answer().browsing)
            cut_->setValue(cut_->maximum());
    });
    connect(empty_, &EmptyPage::other_clicked, this, &SearchPage::samples_wanted);
    connect(&session_.index, &IndexService::state_changed, this, &SearchPage::show_empty);
    view_->installEventFilter(this);
    const auto tint = [this] { order_->setIcon(icon(QStringLiteral("chevron-down"), theme_.colours().dim, 12)); };
    connect(&theme_, &Theme::changed, this, tint);
    tint();
    show_tally();
    show_empty();
    setAcceptDrops(true);
}

bool SearchPage::settled() const
{
    return !pause_.isActive() && !waiting_ && !session_.search.busy() && !session_.thumbnails.busy();
}

void SearchPage::set_filter(const index::Filter& filter)
{
    filter_ = filter;
    ask();
}

void SearchPage::library_changed()
{
    if (!waiting_ && !pause_.isActive()) {
        keep_place_ = true;
        ask();
    }
}

void SearchPage::ask()
{
    jobs::SearchRequest request;
    request.parts = box_->parts();
    request.filter = filter_;
    if (senses_->chosen() == 0)
        request.filter.modalities = {Modality::Picture};
    else if (senses_->chosen() == 1)
        request.filter.modalities = {Modality::Sound};
    request.k = SearchService::most_hits;
    request.all = true;
    // While only what is unwanted stands in the box, the library is shown.
    if (std::none_of(request.parts.begin(), request.parts.end(),
                     [](const auto& part) { return part.weight > 0 && part.role != Role::Less; }))
        request.parts.clear();
    concepts_->set_can_keep(!request.parts.empty());
    waiting_ = true;
    session_.search.ask(request);
}

void SearchPage::take(const Answer& answer)
{
    waiting_ = false;
    unopened_.reset();
    std::filesystem::path current;
    if (view_->currentIndex().isValid())
        current = results_.hit(view_->currentIndex().row()).path;
    const int place = view_->verticalScrollBar()->value();
    const bool keep = std::exchange(keep_place_, false) || (answer.browsing && results_.answer().browsing);
    results_.set_answer(answer, session_.library.rating());
    reading_->tell(answer.read_as);
    show_empty();
    // The same file stays chosen if the new answer has it; the preview then keeps playing.
    const int row = current.empty() ? -1 : results_.row_of(current);
    if (row >= 0) {
        const QSignalBlocker quiet(view_->selectionModel());
        view_->setCurrentIndex(results_.index(row));
        if (results_.hit(row).probe.kind != media::Kind::Image)
            session_.search.rate(current, answer);
    } else if (!current.empty() && !preview_->player().playing()) {
        preview_->show_nothing();
        expand(false);
        preview_->hide();
    }
    if (keep) {
        view_->doItemsLayout();
        view_->verticalScrollBar()->setValue(place);
    }
    Q_EMIT answered();
}

void SearchPage::show_tally()
{
    const Answer& answer = results_.answer();
    const Tally tally = results_.tally();
    const bool searching = answer.hits && !answer.browsing;
    cut_->setVisible(searching);
    if (results_.order() == Order::Relevance)  // without a question the newest files come first
        order_->setText(searching ? tr("Sort: relevance") : tr("Sort: newest first"));
    if (!answer.hits) {
        tally_->set_text(unopened_ ? QString() : tr("Opening the library…"));
        return;
    }
    if (!searching) {
        tally_->set_text(format_count(tally.files), QLatin1Char(' ') + (tally.files == 1 ? tr("file") : tr("files")));
        return;
    }
    const QString files = tally.likely_files == 1 ? tr("in 1 file") : tr("in %1 files").arg(format_count(tally.likely_files));
    const QString maybe = tr("%1 maybe").arg(format_count(tally.maybe_moments));
    tally_->set_text(tr("%1 likely").arg(format_count(tally.likely_moments)),
                     tally.likely_moments ? QStringLiteral(" %1 · %2").arg(files, maybe) : QStringLiteral(" · %1").arg(maybe));
}

void SearchPage::show_empty()
{
    const bool nothing = results_.rowCount() == 0;
    const bool no_library = session_.library.known() && session_.library.state().empty();
    const bool reading = session_.index.state() == IndexService::State::Running;
    bar_->setVisible(!nothing || !no_library);
    grid_or_empty_->setCurrentWidget(nothing ? static_cast<QWidget*>(empty_) : view_);
    if (!nothing)
        return;
    preview_->hide();
    const Answer& answer = results_.answer();
    if (unopened_ && !answer.hits) {
        empty_->tell(QStringLiteral("warning"), tr("This library cannot be searched"), unopened_->remedy, {});
    } else if (!answer.hits) {
        empty_->tell(QStringLiteral("search"), {}, {}, {});
    } else if (reading) {
        empty_->tell(QStringLiteral("search"), tr("Looking through your files"),
                     tr("What fits appears here as soon as it has been read. Nothing leaves this machine."), {});
    } else if (no_library) {
        empty_->tell(QStringLiteral("folder-add"), tr("Add your first folder"),
                     tr("Imprint looks through its pictures, videos and sounds on this machine; then you search them by what "
                        "they show."),
                     tr("Add a folder…"), tr("Try it with the samples that come with it"));
    } else if (answer.browsing) {
        empty_->tell(QStringLiteral("library"), tr("Nothing to show"),
                     tr("No file passes the filters at the side, or none has been indexed yet."), {});
    } else {
        const bool more = !answer.hits->empty();
        empty_->tell(QStringLiteral("search"), tr("Nothing here matches"),
                     more && answer.meaningless
                         ? tr("The model does not know these words, and no name, folder or label has them. What comes closest is "
                              "chance.")
                         : more
                         ? tr("No moment in this library stands out for this question. What comes closest is probably chance.")
                         : tr("No file passes the filters at the side. Tick more kinds, folders or a longer time."),
                     more ? tr("Show what comes closest") : QString());
    }
}

void SearchPage::show_current()
{
    const QModelIndex index = view_->currentIndex();
    if (!index.isValid())
        return;
    const auto& hit = results_.hit(index.row());
    session_.index.look_at(hit.path.parent_path());
    if (!preview_->isVisible()) {
        preview_->show();
        if (!preview_->expanded())
            split_->setSizes({std::max(300, width() - metrics::preview_width), metrics::preview_width});
        view_->doItemsLayout();
        view_->scrollTo(index);
    }
    index::FileHit shown = hit;
    shown.stars = results_.stars(hit);
    preview_->show_hit(shown, results_.answer().browsing ? std::vector<index::MomentHit>() : results_.moments(index.row()));
    if (hit.probe.kind != media::Kind::Image)
        session_.search.rate(hit.path, results_.answer());
}

void SearchPage::open_row(int row)
{
    if (row < 0 || row >= results_.rowCount())
        return;
    view_->setCurrentIndex(results_.index(row));
    show_current();
    preview_->toggle_play();
}

void SearchPage::expand(bool expanded)
{
    if (preview_->expanded() == expanded)
        return;
    preview_->set_expanded(expanded);
    grid_->setVisible(!expanded);
    if (!expanded)
        view_->setFocus();
}

void SearchPage::judge(const std::filesystem::path& file, const index::Moment& moment, Role role)
{
    jobs::QueryPart part{{}, file, moment.start, moment.end, 1.0};
    part.role = role;
    expand(false);
    box_->add(part);
}

void SearchPage::find_similar(const std::filesystem::path& file, const index::Moment& moment)
{
    expand(false);
    box_->replace({{}, file, moment.start, moment.end, 1.0});
}

void SearchPage::connect_concepts()
{
    connect(&session_.search, &SearchService::concepts, concepts_, &ConceptMenu::set_names);
    connect(concepts_, &ConceptMenu::keep_wanted, this,
            [this](const QString& name) { session_.search.keep_concept(name, box_->parts()); });
    connect(concepts_, &ConceptMenu::forget_wanted, &session_.search, &SearchService::forget_concept);
    connect(concepts_, &ConceptMenu::chosen, this, [this](const QString& name) {
        jobs::QueryPart part;
        part.concept_name = name.toStdString();
        box_->replace(part);
    });
    session_.search.list_concepts();
}

void SearchPage::open_menu(int row, const QPoint& global)
{
    const index::FileHit hit = results_.hit(row);
    const index::Moment moment = best_moment(hit).value_or(index::Moment{});
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    connect(menu->addAction(tr("Open large")), &QAction::triggered, this, [this, row] { Q_EMIT view_->opened(row); });
    menu->addSeparator();
    connect(menu->addAction(tr("More like this")), &QAction::triggered, this, [=, this] { judge(hit.path, moment, Role::More); });
    connect(menu->addAction(tr("Less like this")), &QAction::triggered, this, [=, this] { judge(hit.path, moment, Role::Less); });
    connect(menu->addAction(tr("Find similar")), &QAction::triggered, this, [=, this] { find_similar(hit.path, moment); });
    menu->addSeparator();
    QMenu* rating = menu->addMenu(tr("Rating"));
    rating->setObjectName(QStringLiteral("rating"));
    ratings_->fill(*rating);
    connect(menu->addAction(tr("Copy files")), &QAction::triggered, this, &SearchPage::copy_chosen);
    QAction* save = menu->addAction(tr("Save clip…"));
    save->setEnabled(moment.start && moment.end);
    connect(save, &QAction::triggered, this, [=, this] { save_clip(hit.path, moment); });
    menu->popup(global);
}

void SearchPage::copy_chosen()
{
    const QModelIndexList chosen = view_->selectionModel()->selectedIndexes();
    if (!chosen.isEmpty())
        QApplication::clipboard()->setMimeData(results_.mimeData(chosen));
}

void SearchPage::connect_clips()
{
    connect(view_, &ResultsView::clips_dragged, this, [this](const std::vector<int>& rows, const QPixmap& picture) {
        std::vector<ClipWish> wishes;
        for (const int row : rows) {
            const index::FileHit& hit = results_.hit(row);
            const index::Moment moment = best_moment(hit).value_or(index::Moment{});
            wishes.push_back({hit.path, moment.start, moment.end});
        }
        session_.clips.drag(*view_, wishes, picture);
    });
    connect(preview_, &PreviewPanel::clip_dragged, this,
            [this](const auto& file, const index::Moment& moment, const QPixmap& picture) {
                session_.clips.drag(*preview_, {{file, moment.start, moment.end}}, picture);
            });
    connect(preview_, &PreviewPanel::clip_wanted, this, &SearchPage::save_clip);
    connect(new QShortcut(QKeySequence::Save, this), &QShortcut::activated, this, [this] {
        if (preview_->isVisible() && preview_->hit())
            save_clip(preview_->hit()->path, preview_->moment());
    });
    connect(&session_.clips, &Clips::failed, this, &SearchPage::failed);
}

void SearchPage::connect_ratings()
{
    connect(preview_, &PreviewPanel::stars_given, this, [this](int stars) { ratings_->give(*preview_->hit(), stars); });
    connect(ratings_, &Ratings::changed, this, [this] {
        if (preview_->hit())
            preview_->show_stars(results_.stars(*preview_->hit()));
    });
    connect(&session_.library, &LibraryService::rated, this, [this] {
        // Of what goes by stars, and of an answer that is on its way, nobody knows whether it saw them.
        if (waiting_)
            ask();
        else if (filter_.stars > 0)
            library_changed();
    });
}

void SearchPage::save_clip(const std::filesystem::path& file, const index::Moment& moment)
{
    if (!moment.start || !moment.end)
        return;
    // Which ending fits is known once it is cut; a name that is taken is not written over.
    auto* dialog = new QFileDialog(this, tr("Save clip"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setOption(QFileDialog::DontConfirmOverwrite);
    dialog->selectFile(shown_path(jobs::clip_name(file, *moment.start, *moment.end)));
    connect(dialog, &QFileDialog::fileSelected, this,
            [this, wish = ClipWish{file, moment.start, moment.end}](const QString& name) {
                session_.clips.save(wish, path_of(name));
            });
    dialog->open();
}

void SearchPage::listen(int row)
{
    constexpr float softly = 0.35f;
    if (row < 0) {
        listener_.stop();
        return;
    }
    const index::FileHit& hit = results_.hit(row);
    const auto best = best_moment(hit);
    listener_.play(hit.path, best ? best->start.value_or(0) : 0, softly);
}

void SearchPage::dragEnterEvent(QDragEnterEvent* event)
{
    // From outside only: a tile let go over the grid by mistake asks nothing.
    if (!event->source() && (event->mimeData()->hasUrls() || event->mimeData()->hasImage()))
        event->acceptProposedAction();
}

void SearchPage::dropEvent(QDropEvent* event)
{
    if (box_->take(*event->mimeData()))
        event->acceptProposedAction();
}

void SearchPage::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape) {
        if (preview_->expanded()) {
            expand(false);
        } else if (preview_->isVisible()) {
            preview_->stop();
            preview_->hide();
            view_->doItemsLayout();
        } else {
            box_->focus_line();
        }
    } else if (event->key() == Qt::Key_BracketLeft || event->key() == Qt::Key_BracketRight) {
        preview_->walk_peak(event->key() == Qt::Key_BracketRight ? 1 : -1);
    } else {
        QWidget::keyPressEvent(event);
    }
}

bool SearchPage::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == view_ && event->type() == QEvent::KeyPress) {
        auto* key = static_cast<QKeyEvent*>(event);
        if (key->matches(QKeySequence::Copy)) {
            copy_chosen();
            return true;
        }
        if (key->key() == Qt::Key_Escape) {
            keyPressEvent(key);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace imprint::gui
