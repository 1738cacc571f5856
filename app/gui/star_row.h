// SPDX-License-Identifier: Apache-2.0
// The stars of one file: clicked, or given by arrow keys and digits; the last one lit, clicked again, takes them away.
#pragma once

#include <QAbstractSlider>

#include "app/gui/theme.h"

namespace imprint::gui {

class StarRow : public QAbstractSlider {
    Q_OBJECT

public:
    explicit StarRow(const Theme& theme, QWidget* parent = nullptr);
    void show_stars(int stars);  ///< tells nobody
    QSize sizeHint() const override;

Q_SIGNALS:
    void given(int stars);  ///< by a person

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    int star_at(int x) const;

    const Theme& theme_;
    int pointed_ = 0;  // the star under the pointer; 0: none
};

}  // namespace imprint::gui
