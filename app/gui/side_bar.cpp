// SPDX-License-Identifier: Apache-2.0
// Folder rows are kept while the library's roots stay the same, so that ticks survive a refresh.
#include "app/gui/side_bar.h"

#include <QActionGroup>
#include <QDateTime>
#include <QHBoxLayout>
#include <QMenu>
#include <QScrollArea>
#include <algorithm>

#include "app/gui/figures.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"

namespace imprint::gui {

SideBar::SideBar(Theme& theme, QWidget* parent)
    : QFrame(parent), theme_(theme), folders_title_(caption(tr("FOLDERS"))), folder_rows_(new QVBoxLayout),
      date_(choice(tr("Date"), dates())), length_(choice(tr("Length"), lengths())), stars_(choice(tr("Rating"), ratings())),
      label_(choice(tr("Label"), {{tr("Any label"), [](index::Filter& filter) { filter.labels.clear(); }}})),
      label_title_(caption(tr("LABEL"))), scheme_(new QPushButton)
{
    setObjectName(QStringLiteral("sideBar"));
    setAccessibleName(tr("Pages and filters"));
    setFixedWidth(metrics::side_bar_width);

    auto* brand = new QHBoxLayout;
    brand->setContentsMargins(7, 0, 0, 0);
    brand->setSpacing(0);
    auto* mark = new QLabel;
    mark->setPixmap(icon_pixmap(QStringLiteral("imprint"), Qt::black, 24, devicePixelRatioF()));
    auto* name = new QLabel(tr("Imprint"));
    name->setProperty("role", "brand");
    brand->addWidget(mark);
    brand->addSpacing(8);
    brand->addWidget(name);
    brand->addStretch();
    brand->addWidget(scheme_);
    make_theme_menu();

    pages_ = {new PageRow(theme, tr("Search"), QStringLiteral("search"), QStringLiteral("⌃1")),
              new PageRow(theme, tr("Library"), QStringLiteral("library"), QStringLiteral("⌃2")),
              new PageRow(theme, tr("Label"), QStringLiteral("tag"), QStringLiteral("⌃3")),
              new PageRow(theme, tr("Train"), QStringLiteral("train"), QStringLiteral("⌃4"))};
    pages_[0]->setChecked(true);
    for (size_t i = 0; i < pages_.size(); ++i)
        connect(pages_[i], &PageRow::clicked, this, [this, i] { Q_EMIT page_wanted(static_cast<Page>(i)); });

    kinds_ = {new FilterRow(theme, tr("Images")), new FilterRow(theme, tr("Video")), new FilterRow(theme, tr("Sound"))};
    for (FilterRow* row : kinds_)
        connect(row, &FilterRow::toggled, this, &SideBar::filter_changed);

    auto* inner = new QWidget;
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(12, 0, 12, 12);
    column->setSpacing(0);
    for (PageRow* row : pages_) {
        column->addWidget(row);
        column->addSpacing(4);
    }
    filters_ = new QWidget;
    auto* filters = new QVBoxLayout(filters_);
    filters->setContentsMargins(0, 0, 0, 0);
    filters->setSpacing(0);
    filters->addSpacing(16);
    filters->addWidget(caption(tr("KIND")));
    for (FilterRow* row : kinds_)
        filters->addWidget(row);
    filters->addSpacing(16);
    folder_rows_->setSpacing(0);
    filters->addWidget(folders_title_);
    filters->addLayout(folder_rows_);
    filters->addSpacing(16);
    filters->addWidget(caption(tr("DATE")));
    filters->addWidget(date_);
    filters->addSpacing(16);
    filters->addWidget(caption(tr("LENGTH")));
    filters->addWidget(length_);
    filters->addSpacing(16);
    filters->addWidget(caption(tr("RATING")));
    filters->addWidget(stars_);
    filters->addSpacing(16);
    filters->addWidget(label_title_);
    filters->addWidget(label_);
    column->addWidget(filters_);
    column->addStretch();

    auto* area = new QScrollArea;
    area->setWidget(inner);
    area->setWidgetResizable(true);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFrameShape(QFrame::NoFrame);
    area->setFocusPolicy(Qt::NoFocus);

    auto* all = new QVBoxLayout(this);
    all->setContentsMargins(0, 16, 1, 0);  // the hairline stays free
    all->setSpacing(16);
    auto* top = new QVBoxLayout;
    top->setContentsMargins(12, 0, 12, 0);
    top->addLayout(brand);
    all->addLayout(top);
    all->addWidget(area, 1);
    folders_title_->hide();
    label_title_->hide();
    label_->hide();

    const auto tint = [this] {
        const QColor dim = theme_.colours().dim;
        const QString name = theme_.mode() == ThemeMode::System ? QStringLiteral("system")
            : theme_.mode() == ThemeMode::Dark                  ? QStringLiteral("moon")
                                                                : QStringLiteral("sun");
        scheme_->setIcon(icon(name, dim, 16));
        scheme_->setIconSize({16, 16});
    };
    connect(&theme_, &Theme::changed, this, tint);
    tint();
}

MenuRow* SideBar::choice(const QString& what, const std::vector<Choice>& choices)
{
    auto* row = new MenuRow(theme_, choices.front().first);
    set_choices(row, what, choices);
    return row;
}

void SideBar::set_choices(MenuRow* row, const QString& what, const std::vector<Choice>& choices)
{
    for (QMenu* old : row->findChildren<QMenu*>())
        old->deleteLater();
    row->setText(choices.front().first);
    row->setAccessibleName(QStringLiteral("%1: %2").arg(what, choices.front().first));
    auto* menu = new QMenu(row);
    auto* group = new QActionGroup(menu);
    for (const auto& [text, choose] : choices) {
        QAction* action = group->addAction(menu->addAction(text));
        action->setCheckable(true);
        action->setChecked(text == choices.front().first);
        connect(action, &QAction::triggered, this, [this, row, what, text = text, choose = choose] {
            row->setText(text);
            row->setAccessibleName(QStringLiteral("%1: %2").arg(what, text));
            choose(chosen_);
            Q_EMIT filter_changed();
        });
    }
    row->set_menu(menu);
}

std::vector<SideBar::Choice> SideBar::dates()
{
    std::vector<Choice> choices;
    const std::pair<QString, int> spans[] = {{tr("Any time"), 0},
                                             {tr("Last 7 days"), 7},
                                             {tr("Last 30 days"), 30},
                                             {tr("Last 12 months"), 365},
                                             {tr("Last 5 years"), 1826}};
    for (const auto& [text, days] : spans)
        choices.emplace_back(text, [days = days](index::Filter& filter) {
            filter.after.reset();
            if (days)
                filter.after = QDateTime::currentSecsSinceEpoch() - int64_t(days) * 86400;
        });
    return choices;
}

std::vector<SideBar::Choice> SideBar::lengths()
{
    struct Span {
        QString text;
        std::optional<double> longer, shorter;
    };
    constexpr double any = 1e-3;  // more than a still image
    std::vector<Choice> choices;
    for (const Span& span : {Span{tr("Any length"), {}, {}}, Span{tr("Up to 10 s"), any, 10}, Span{tr("10 s to 1 min"), 10, 60},
                             Span{tr("1 to 10 min"), 60, 600}, Span{tr("10 min and more"), 600, {}}})
        choices.emplace_back(span.text, [span](index::Filter& filter) {
            filter.longer = span.longer;
            filter.shorter = span.shorter;
        });
    return choices;
}

std::vector<SideBar::Choice> SideBar::ratings()
{
    std::vector<Choice> choices{{tr("Any rating"), [](index::Filter& filter) { filter.stars = 0; }}};
    for (int stars = 1; stars <= 5; ++stars)
        choices.emplace_back(QString(stars, QChar(0x2605)) + (stars < 5 ? tr(" and more") : QString()),
                             [stars](index::Filter& filter) { filter.stars = stars; });
    return choices;
}

void SideBar::show_labels(const std::vector<std::string>& labels)
{
    label_title_->setVisible(!labels.empty());
    label_->setVisible(!labels.empty());
    if (labels == labels_)
        return;
    labels_ = labels;
    std::vector<Choice> choices{{tr("Any label"), [](index::Filter& filter) { filter.labels.clear(); }}};
    for (const std::string& label : labels)
        choices.emplace_back(QString::fromStdString(label), [label](index::Filter& filter) { filter.labels = {label}; });
    set_choices(label_, tr("Label"), choices);
    // What was chosen stays while it is still given to something.
    const std::vector<std::string> chosen = chosen_.labels;
    if (chosen.empty())
        return;
    if (std::find(labels.begin(), labels.end(), chosen.front()) != labels.end()) {
        label_->setText(QString::fromStdString(chosen.front()));
        return;
    }
    chosen_.labels.clear();
    Q_EMIT filter_changed();
}

QLabel* SideBar::caption(const QString& text)
{
    auto* label = new QLabel(text);
    label->setProperty("role", "caption");
    label->setContentsMargins(10, 0, 0, 6);
    QFont spaced = label->font();
    spaced.setLetterSpacing(QFont::AbsoluteSpacing, 0.6);
    label->setFont(spaced);
    return label;
}

void SideBar::make_theme_menu()
{
    scheme_->setProperty("role", "quiet");
    scheme_->setAccessibleName(tr("Appearance"));
    scheme_->setToolTip(tr("Light or dark"));
    auto* menu = new QMenu(scheme_);
    auto* group = new QActionGroup(menu);
    const std::pair<QString, ThemeMode> modes[] = {
        {tr("Like the system"), ThemeMode::System}, {tr("Light"), ThemeMode::Light}, {tr("Dark"), ThemeMode::Dark}};
    for (const auto& [text, mode] : modes) {
        QAction* action = group->addAction(menu->addAction(text));
        action->setCheckable(true);
        action->setChecked(theme_.mode() == mode);
        connect(action, &QAction::triggered, this, [this, mode = mode] { theme_.set_mode(mode); });
    }
    scheme_->setMenu(menu);
}

void SideBar::set_page(Page page)
{
    pages_[static_cast<size_t>(page)]->setChecked(true);
    filters_->setVisible(page != Page::Train);  // nothing there goes by them
}

void SideBar::show_library(const LibraryState& state)
{
    const int64_t counts[] = {state.counts.images, state.counts.videos, state.counts.sounds};
    for (size_t i = 0; i < kinds_.size(); ++i)
        kinds_[i]->set_detail(format_count(counts[i]));

    std::vector<std::filesystem::path> paths;
    for (const RootState& root : state.roots)
        paths.push_back(root.path);
    if (paths != folder_paths_) {
        std::vector<std::filesystem::path> off;
        for (size_t i = 0; i < folders_.size(); ++i) {
            if (!folders_[i]->isChecked())
                off.push_back(folder_paths_[i]);
            folders_[i]->deleteLater();
        }
        folders_.clear();
        folder_paths_ = paths;
        for (const auto& path : paths) {
            const bool alone =
                std::count_if(paths.begin(), paths.end(), [&](const auto& other) { return other.filename() == path.filename(); })
                == 1;
            // Two folders of one name are told apart by what they lie in.
            auto* row =
                new FilterRow(theme_, alone ? shown_name(path) : shown_path(path.parent_path().filename() / path.filename()));
            row->setToolTip(shown_path(path));
            row->setChecked(std::find(off.begin(), off.end(), path) == off.end());
            connect(row, &FilterRow::toggled, this, &SideBar::filter_changed);
            folder_rows_->addWidget(row);
            folders_.push_back(row);
        }
    }
    for (size_t i = 0; i < folders_.size(); ++i)
        folders_[i]->set_detail(state.roots[i].there ? format_count(state.roots[i].counts.files) : tr("offline"));
    folders_title_->setVisible(!folders_.empty());
    show_labels(state.labels);
}

index::Filter SideBar::filter() const
{
    index::Filter filter = chosen_;
    const media::Kind all[] = {media::Kind::Image, media::Kind::Video, media::Kind::Audio};
    for (size_t i = 0; i < kinds_.size(); ++i)
        if (kinds_[i]->isChecked())
            filter.kinds.push_back(all[i]);
    if (filter.kinds.size() == kinds_.size())
        filter.kinds.clear();
    for (size_t i = 0; i < folders_.size(); ++i)
        if (folders_[i]->isChecked())
            filter.folders.push_back(folder_paths_[i]);
    if (filter.folders.size() == folders_.size())
        filter.folders.clear();
    return filter;
}

}  // namespace imprint::gui
