// SPDX-License-Identifier: Apache-2.0
// What is given shows at once and is taken back where the library refuses it.
#include "app/gui/ratings.h"

#include <QMenu>
#include <algorithm>

#include "app/gui/figures.h"

namespace imprint::gui {

Ratings::Ratings(ResultsModel& results, QAbstractItemView& view, LibraryService& library, QWidget& page)
    : QObject(&page), results_(results), view_(view), library_(library), undo_(new QAction(tr("Undo rating"), this))
{
    const auto work_within = [&](QAction* action, const QKeySequence& keys) {
        action->setShortcut(keys);
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        page.addAction(action);
    };
    for (int stars = 0; stars <= most; ++stars) {
        auto* action = new QAction(stars == 0 ? tr("No stars") : counted(stars, tr("star"), tr("stars")), this);
        action->setCheckable(true);
        work_within(action, QKeySequence(Qt::ALT | static_cast<Qt::Key>(Qt::Key_0 + stars)));  // with Control: the pages
        connect(action, &QAction::triggered, this, [this, stars] { give_chosen(stars); });
        give_.push_back(action);
    }
    undo_->setEnabled(false);
    work_within(undo_, QKeySequence::Undo);
    connect(undo_, &QAction::triggered, this, &Ratings::undo);
}

std::vector<const index::FileHit*> Ratings::chosen() const
{
    std::vector<const index::FileHit*> hits;
    for (const QModelIndex& index : view_.selectionModel()->selectedIndexes())
        hits.push_back(&results_.hit(index.row()));
    return hits;
}

void Ratings::give_chosen(int stars) { give(chosen(), stars); }

void Ratings::give(const index::FileHit& hit, int stars) { give(std::vector{&hit}, stars); }

void Ratings::give(const std::vector<const index::FileHit*>& hits, int stars)
{
    if (hits.empty())
        return;
    Gift gift;
    for (const index::FileHit* hit : hits) {
        gift.given.push_back({hit->path, stars});
        gift.before.push_back({hit->path, results_.stars(*hit)});
    }
    const int number = ++last_;
    gifts_[number] = gift;
    show(gift.given);
    library_.rate(gift.given, [this, number, before = gift.before] {
        gifts_.erase(number);
        show(before);
    });
}

void Ratings::undo()
{
    if (gifts_.empty())
        return;
    const auto node = gifts_.extract(std::prev(gifts_.end()));
    show(node.mapped().before);
    library_.rate(node.mapped().before, [this, number = node.key(), gift = node.mapped()] {
        gifts_[number] = gift;
        show(gift.given);
    });
}

void Ratings::show(const Stars& stars)
{
    results_.set_stars(stars);
    undo_->setEnabled(!gifts_.empty());
    Q_EMIT changed();
}

void Ratings::fill(QMenu& menu)
{
    const auto hits = chosen();
    for (int stars = most; stars >= 0; --stars) {
        QAction* action = give_[static_cast<size_t>(stars)];
        action->setChecked(!hits.empty() && std::all_of(hits.begin(), hits.end(), [&](const index::FileHit* hit) {
            return results_.stars(*hit) == stars;
        }));
        menu.addAction(action);
    }
    menu.addSeparator();
    menu.addAction(undo_);
}

}  // namespace imprint::gui
