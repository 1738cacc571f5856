// SPDX-License-Identifier: Apache-2.0
// An error where it can be read and copied: what happened, to which file, what to do. It stays until it is closed.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>

#include "app/gui/problem.h"
#include "app/gui/theme.h"

namespace imprint::gui {

class NoticeBar : public QFrame {
    Q_OBJECT

public:
    explicit NoticeBar(const Theme& theme, QWidget* parent = nullptr);
    void show_problem(const Problem& problem);
    const Problem& problem() const { return problem_; }

private:
    void tint();

    const Theme& theme_;
    QLabel *mark_, *title_, *detail_;
    QPushButton *copy_, *close_;
    Problem problem_;
};

}  // namespace imprint::gui
