// SPDX-License-Identifier: Apache-2.0
// Lines are filled greedily; every item of a line is centred on it.
#include "app/gui/flow_layout.h"

#include <QWidget>
#include <algorithm>

namespace imprint::gui {

FlowLayout::FlowLayout(QWidget* parent, int gap, int least_last) : QLayout(parent), gap_(gap), least_last_(least_last) { }

FlowLayout::~FlowLayout() { qDeleteAll(items_); }

void FlowLayout::insert(int index, QWidget* widget)
{
    addChildWidget(widget);
    items_.insert(index, new QWidgetItem(widget));
    widget->show();
    invalidate();
}

void FlowLayout::addItem(QLayoutItem* item) { items_.append(item); }

QLayoutItem* FlowLayout::takeAt(int index) { return index >= 0 && index < items_.size() ? items_.takeAt(index) : nullptr; }

QSize FlowLayout::minimumSize() const
{
    QSize size(least_last_, 0);
    for (const QLayoutItem* item : items_)
        size = size.expandedTo(QSize(0, item->sizeHint().height()));
    const QMargins around = contentsMargins();
    return size + QSize(around.left() + around.right(), around.top() + around.bottom());
}

void FlowLayout::setGeometry(const QRect& rect)
{
    QLayout::setGeometry(rect);
    arrange(rect, false);
}

int FlowLayout::arrange(const QRect& rect, bool only_measure) const
{
    const QMargins around = contentsMargins();
    const QRect room = rect.marginsRemoved(around);
    int x = room.left(), y = room.top(), line = 0;
    for (qsizetype i = 0; i < items_.size(); ++i) {
        const bool last = i + 1 == items_.size();
        const QSize hint = items_[i]->sizeHint();
        const int wanted = std::min(last ? least_last_ : hint.width(), room.width());
        if (x > room.left() && x + wanted > room.right() + 1) {
            x = room.left();
            y += line + gap_;
            line = 0;
        }
        const int wide = last ? room.right() + 1 - x : wanted;
        line = std::max(line, hint.height());
        if (!only_measure)
            items_[i]->setGeometry(QRect(x, y, wide, hint.height()));
        x += wide + gap_;
    }
    return y + line - rect.top() + around.bottom();
}

}  // namespace imprint::gui
