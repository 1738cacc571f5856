// SPDX-License-Identifier: Apache-2.0
// What an empty page says: what to do first, with at most one button, and at most one other way below it.
#pragma once

#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QWidget>

#include "app/gui/theme.h"

namespace imprint::gui {

class EmptyPage : public QWidget {
    Q_OBJECT

public:
    explicit EmptyPage(const Theme& theme, QWidget* parent = nullptr);
    /// An empty `button` or `other` shows none.
    void tell(const QString& icon, const QString& title, const QString& text, const QString& button, const QString& other = {});
    /// Pops another widget's menu up where the eye is: below one of the buttons here.
    void show_menu(QMenu& menu, QPushButton& below);
    QString title() const { return title_->text(); }
    QPushButton& button() { return *button_; }
    QPushButton& other() { return *other_; }

Q_SIGNALS:
    void clicked();
    void other_clicked();

private:
    void tint();

    const Theme& theme_;
    QString icon_;
    QLabel *mark_, *title_, *text_;
    QPushButton *button_, *other_;
};

}  // namespace imprint::gui
