// SPDX-License-Identifier: Apache-2.0
// An exclusive group of push buttons; the style sheet gives it its looks.
#include "app/gui/segmented.h"

#include <QHBoxLayout>
#include <QPushButton>

namespace imprint::gui {

Segmented::Segmented(const QString& name, const QStringList& choices, QWidget* parent)
    : QFrame(parent), group_(new QButtonGroup(this))
{
    setObjectName(QStringLiteral("segmented"));
    setAccessibleName(name);
    setFixedHeight(48);  // as the query box beside it
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    for (int i = 0; i < choices.size(); ++i) {
        auto* button = new QPushButton(choices[i]);
        button->setCheckable(true);
        button->setAccessibleName(QStringLiteral("%1: %2").arg(name, choices[i]));
        button->setCursor(Qt::PointingHandCursor);
        group_->addButton(button, i);
        row->addWidget(button);
    }
    if (auto* first = group_->button(0))
        first->setChecked(true);
    connect(group_, &QButtonGroup::idToggled, this, [this](int index, bool on) {
        if (on)
            Q_EMIT chosen_changed(index);
    });
}

void Segmented::choose(int index)
{
    if (auto* button = group_->button(index))
        button->setChecked(true);
}

}  // namespace imprint::gui
