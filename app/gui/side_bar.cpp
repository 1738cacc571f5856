// SPDX-License-Identifier: Apache-2.0
// Folder rows are kept while the library's roots stay the same, so that ticks survive a refresh.
#include "app/gui/side_bar.h"

#include <QActionGroup>
#include <QDateTime>
#include <QHBoxLayout>
#include <QMenu>
#include <QScrollArea>

#include "app/gui/figures.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"

namespace imprint::gui {

SideBar::SideBar(Theme& theme, QWidget* parent)
    : QFrame(parent), theme_(theme), folders_title_(caption(tr("FOLDERS"))), folder_rows_(new QVBoxLayout),
      date_(new MenuRow(theme, tr("Any time"))), scheme_(new QPushButton)
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
              new PageRow(theme, tr("Library"), QStringLiteral("library"), QStringLiteral("⌃2"))};
    pages_[0]->setChecked(true);
    connect(pages_[0], &PageRow::clicked, this, [this] { Q_EMIT page_wanted(Page::Search); });
    connect(pages_[1], &PageRow::clicked, this, [this] { Q_EMIT page_wanted(Page::Library); });

    kinds_ = {new FilterRow(theme, tr("Images")), new FilterRow(theme, tr("Video")), new FilterRow(theme, tr("Sound"))};
    for (FilterRow* row : kinds_)
        connect(row, &FilterRow::toggled, this, &SideBar::filter_changed);

    date_->setAccessibleName(tr("Date: any time"));
    auto* dates = new QMenu(date_);
    auto* group = new QActionGroup(dates);
    const std::pair<QString, int> spans[] = {{tr("Any time"), 0},
                                             {tr("Last 7 days"), 7},
                                             {tr("Last 30 days"), 30},
                                             {tr("Last 12 months"), 365},
                                             {tr("Last 5 years"), 1826}};
    for (const auto& [text, days] : spans) {
        QAction* action = group->addAction(dates->addAction(text));
        action->setCheckable(true);
        action->setChecked(days == 0);
        connect(action, &QAction::triggered, this, [this, text = text, days = days] {
            date_->setText(text);
            date_->setAccessibleName(tr("Date: %1").arg(text));
            after_.reset();
            if (days)
                after_ = QDateTime::currentSecsSinceEpoch() - int64_t(days) * 86400;
            Q_EMIT filter_changed();
        });
    }
    date_->set_menu(dates);

    auto* inner = new QWidget;
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(12, 0, 12, 12);
    column->setSpacing(0);
    for (PageRow* row : pages_) {
        column->addWidget(row);
        column->addSpacing(4);
    }
    column->addSpacing(16);
    column->addWidget(caption(tr("KIND")));
    for (FilterRow* row : kinds_)
        column->addWidget(row);
    column->addSpacing(16);
    folder_rows_->setSpacing(0);
    column->addWidget(folders_title_);
    column->addLayout(folder_rows_);
    column->addSpacing(16);
    column->addWidget(caption(tr("DATE")));
    column->addWidget(date_);
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

void SideBar::set_page(Page page) { pages_[static_cast<size_t>(page)]->setChecked(true); }

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
            auto* row = new FilterRow(theme_, shown_name(path));
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
}

index::Filter SideBar::filter() const
{
    index::Filter filter;
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
    filter.after = after_;
    return filter;
}

}  // namespace imprint::gui
