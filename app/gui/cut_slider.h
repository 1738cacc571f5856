// SPDX-License-Identifier: Apache-2.0
// Where the cut falls: left shows only the surest hits, right shows everything. Its track wears the bands' colours.
#pragma once

#include <QAbstractSlider>

#include "app/gui/theme.h"

namespace imprint::gui {

class CutSlider : public QAbstractSlider {
    Q_OBJECT

public:
    static constexpr float strictest = 8.0f, loosest = -2.0f;

    explicit CutSlider(const Theme& theme, QWidget* parent = nullptr);
    /// The least calibrated score to show; everything at the right end.
    float cut() const;
    void set_cut(float score);
    QSize sizeHint() const override { return {190, 22}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;

private:
    int x_of(int value) const;
    void go_to(int x);

    const Theme& theme_;
};

}  // namespace imprint::gui
