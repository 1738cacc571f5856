// SPDX-License-Identifier: Apache-2.0
// What an empty page says: what to do first, with at most one button.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QWidget>

#include "app/gui/theme.h"

namespace imprint::gui {

class EmptyPage : public QWidget {
    Q_OBJECT

public:
    explicit EmptyPage(const Theme& theme, QWidget* parent = nullptr);
    /// An empty `button` shows none.
    void tell(const QString& icon, const QString& title, const QString& text, const QString& button);
    QString title() const { return title_->text(); }
    QPushButton& button() { return *button_; }

Q_SIGNALS:
    void clicked();

private:
    void tint();

    const Theme& theme_;
    QString icon_;
    QLabel *mark_, *title_, *text_;
    QPushButton* button_;
};

}  // namespace imprint::gui
