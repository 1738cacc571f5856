// SPDX-License-Identifier: Apache-2.0
// The kinds of rows in the side bar: a page to go to, a filter with its count, a choice.
#pragma once

#include <QAbstractButton>

#include "app/gui/theme.h"

class QMenu;

namespace imprint::gui {

/// A page: filled with the soft accent while it is shown; its shortcut stands on the right.
class PageRow : public QAbstractButton {
    Q_OBJECT

public:
    PageRow(const Theme& theme, const QString& text, const QString& icon, const QString& hint, QWidget* parent = nullptr);
    QSize sizeHint() const override { return {160, 36}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const Theme& theme_;
    QString icon_, hint_;
};

/// A filter: a box that is ticked, a text, and on the right a count or a word.
class FilterRow : public QAbstractButton {
    Q_OBJECT

public:
    FilterRow(const Theme& theme, const QString& text, QWidget* parent = nullptr);
    void set_detail(const QString& detail);
    QString detail() const { return detail_; }
    QSize sizeHint() const override { return {160, 32}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const Theme& theme_;
    QString detail_;
};

/// A choice from a menu: what is chosen, and a chevron on the right.
class MenuRow : public QAbstractButton {
    Q_OBJECT

public:
    MenuRow(const Theme& theme, const QString& text, QWidget* parent = nullptr);
    void set_menu(QMenu* menu) { menu_ = menu; }
    QSize sizeHint() const override { return {160, 32}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const Theme& theme_;
    QMenu* menu_ = nullptr;
};

}  // namespace imprint::gui
