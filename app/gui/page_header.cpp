// SPDX-License-Identifier: Apache-2.0
#include "app/gui/page_header.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

#include "app/gui/theme.h"

namespace imprint::gui {

QLabel* label_of(const char* role)
{
    auto* label = new QLabel;
    label->setProperty("role", role);
    return label;
}

QFrame* page_header(QLabel& title, QLabel& summary, std::initializer_list<QPushButton*> buttons)
{
    auto* header = new QFrame;
    header->setObjectName(QStringLiteral("pageHeader"));
    auto* left = new QVBoxLayout;
    left->setSpacing(2);
    left->addWidget(&title);
    left->addWidget(&summary);
    auto* head = new QHBoxLayout(header);
    head->setContentsMargins(metrics::page_margin + 2, 16, metrics::page_margin, 14);
    head->setSpacing(8);
    head->addLayout(left);
    head->addStretch();
    for (QPushButton* button : buttons)
        head->addWidget(button);
    return header;
}

}  // namespace imprint::gui
