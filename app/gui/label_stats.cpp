// SPDX-License-Identifier: Apache-2.0
// Figures come from the jobs; here they become words.
#include "app/gui/label_stats.h"

#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "app/gui/figures.h"
#include "app/gui/paths.h"
#include "app/gui/review_view.h"

namespace imprint::gui {
namespace {

/// A name on the left, a count on the right.
class CountDelegate : public QStyledItemDelegate {
public:
    CountDelegate(const Theme& theme, QObject* parent) : QStyledItemDelegate(parent), theme_(theme) { }

    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {100, 30}; }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        painter->save();
        if (option.state & QStyle::State_Selected)
            painter->fillRect(option.rect, theme_.colours().accent_soft);
        const QString count = index.data(Qt::UserRole).toString();
        painter->setFont(theme_.font());
        painter->setPen(theme_.colours().dim);
        draw_figures(*painter, option.rect.adjusted(0, 0, -6, 0), Qt::AlignRight, count);
        painter->setPen(theme_.colours().ink);
        const int room = option.rect.width() - figures_width(painter->fontMetrics(), count) - 18;
        painter->drawText(option.rect.adjusted(2, 0, 0, 0), Qt::AlignVCenter,
                          painter->fontMetrics().elidedText(index.data(Qt::DisplayRole).toString(), Qt::ElideRight, room));
        painter->restore();
    }

private:
    const Theme& theme_;
};

QLabel* text(const char* role, const QString& words = {})
{
    auto* label = new QLabel(words);
    label->setProperty("role", role);
    label->setWordWrap(true);
    return label;
}

}  // namespace

LabelStats::LabelStats(const Theme& theme, Thumbnails& thumbnails, QWidget* parent)
    : QFrame(parent), theme_(theme), thumbnails_(thumbnails), surface_(new MediaSurface(theme)), accuracy_(text("figure")),
      interval_(text("dim")), decided_(text("dim")), coverage_(new ProgressLine(theme)), counts_(new QListWidget)
{
    setObjectName(QStringLiteral("previewPanel"));
    setFixedWidth(metrics::preview_width - 40);
    surface_->setAccessibleName(tr("The moment"));
    counts_->setAccessibleName(tr("Labels and how many moments carry them"));
    counts_->setItemDelegate(new CountDelegate(theme, counts_));
    counts_->setUniformItemSizes(true);

    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 16, 16, 8);
    column->setSpacing(6);
    column->addWidget(surface_);
    column->addSpacing(10);
    column->addWidget(text("caption", tr("ESTIMATED ACCURACY")));
    column->addWidget(accuracy_);
    column->addWidget(interval_);
    column->addSpacing(10);
    column->addWidget(text("caption", tr("COVERAGE")));
    column->addWidget(coverage_);
    column->addWidget(decided_);
    column->addSpacing(10);
    column->addWidget(text("caption", tr("LABELS")));
    column->addWidget(counts_, 1);

    connect(surface_, &MediaSurface::clicked, this, &LabelStats::toggle_play);
    connect(&player_, &Player::frame, surface_, &MediaSurface::show_picture);
    connect(&player_, &Player::playing_changed, surface_, &MediaSurface::set_playing);
    connect(&player_, &Player::failed, this, &LabelStats::failed);
    connect(&thumbnails_, &Thumbnails::ready, this, [this] { fetch_picture(); });
}

void LabelStats::show_run(const jobs::LabelRun& run)
{
    const jobs::ReviewState state = jobs::review_state(run);
    const jobs::LabelTally tally = jobs::tally(run);
    const auto percent = [](double share) { return qRound(100 * share); };
    if (state.accuracy) {
        accuracy_->setText(tr("%1 %").arg(percent(state.accuracy->share)));
        interval_->setText(tr("between %1 and %2, from %3 drawn at random")
                               .arg(percent(state.accuracy->low))
                               .arg(percent(state.accuracy->high))
                               .arg(state.sample));
    } else {
        accuracy_->setText(tr("not known yet"));
        interval_->setText(tr("By the scores alone about %1 % are wrong. Every third moment of the review is drawn at random: "
                              "after %2 of them this becomes an estimate.")
                               .arg(percent(tally.wrong_share))
                               .arg(jobs::kLeastSample));
    }
    const auto all = static_cast<double>(std::max<size_t>(1, run.moments.size()));
    const double decided = 1 - static_cast<double>(tally.abstained) / all;
    coverage_->set_share(decided);
    decided_->setText(tr("%1 % decided · %2 % left open").arg(percent(decided)).arg(100 - percent(decided)));

    std::vector<std::pair<qint64, QString>> rows;
    for (size_t i = 0; i < run.set.classes.size(); ++i)
        rows.emplace_back(tally.moments[i], QString::fromStdString(run.set.classes[i].name));
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    rows.emplace_back(tally.none, tr("none of them"));
    const int current = counts_->currentRow();
    counts_->clear();
    for (const auto& [count, name] : rows) {
        auto* item = new QListWidgetItem(name, counts_);
        item->setData(Qt::UserRole, format_count(count));
        item->setData(Qt::AccessibleTextRole, QStringLiteral("%1: %2").arg(name, format_count(count)));
    }
    counts_->setCurrentRow(current);
}

void LabelStats::show_moment(const jobs::LabelledFile& file, const index::Moment& moment)
{
    player_.stop();
    wish_ = ReviewView::wish_for(file, moment);
    start_ = moment.start.value_or(0);
    surface_->set_playable(file.probe.kind != media::Kind::Image);
    surface_->set_playing(false);
    surface_->show_nothing();
    fetch_picture();
}

void LabelStats::fetch_picture()
{
    if (!wish_ || player_.loaded())
        return;
    const Thumbnail* thumbnail = thumbnails_.get(*wish_);
    if (!thumbnail)
        return;
    if (!thumbnail->image.isNull())
        surface_->show_picture(thumbnail->image);
    else if (!thumbnail->waveform.empty())
        surface_->show_waveform(thumbnail->waveform);
    else
        surface_->show_nothing(thumbnail->failure);
}

void LabelStats::toggle_play()
{
    if (!wish_ || wish_->kind == media::Kind::Image)
        return;
    if (player_.loaded())
        player_.set_paused(player_.playing());
    else
        player_.play(wish_->file, start_);
}

}  // namespace imprint::gui
