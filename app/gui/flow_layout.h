// SPDX-License-Identifier: Apache-2.0
// Lays widgets out in lines like words; the last one takes what is left of its line.
#pragma once

#include <QLayout>
#include <QList>

namespace imprint::gui {

class FlowLayout : public QLayout {
public:
    FlowLayout(QWidget* parent, int gap, int least_last);
    ~FlowLayout() override;

    /// Puts a widget before the `index`-th.
    void insert(int index, QWidget* widget);

    void addItem(QLayoutItem* item) override;
    int count() const override { return static_cast<int>(items_.size()); }
    QLayoutItem* itemAt(int index) const override { return items_.value(index); }
    QLayoutItem* takeAt(int index) override;
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override { return arrange({0, 0, width, 0}, true); }
    QSize sizeHint() const override { return minimumSize(); }
    QSize minimumSize() const override;
    void setGeometry(const QRect& rect) override;

private:
    int arrange(const QRect& rect, bool only_measure) const;

    QList<QLayoutItem*> items_;
    int gap_, least_last_;
};

}  // namespace imprint::gui
