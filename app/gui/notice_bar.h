// SPDX-License-Identifier: Apache-2.0
// An error where it can be read and copied: what happened, to which file, what to do. It stays until it is closed, or until
// what failed has succeeded.
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
    /// `of`: whose problem it is; mended() of the same takes it away.
    void show_problem(const Problem& problem, const QObject* of = nullptr);
    void mended(const QObject* of);
    const Problem& problem() const { return problem_; }

private:
    void tint();

    const Theme& theme_;
    QLabel *mark_, *title_, *detail_;
    QPushButton *copy_, *close_;
    Problem problem_;
    const QObject* of_ = nullptr;  // only compared
};

}  // namespace imprint::gui
