// SPDX-License-Identifier: Apache-2.0
// The bar at the top of a page: what it is, a line about it, and what can be done with it.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>

namespace imprint::gui {

/// A label of one of the style sheet's roles ("title", "dim", "card", …).
QLabel* label_of(const char* role);

/// The title above the summary at the left, the buttons in their order at the right.
QFrame* page_header(QLabel& title, QLabel& summary, std::initializer_list<QPushButton*> buttons);

}  // namespace imprint::gui
