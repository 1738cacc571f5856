// SPDX-License-Identifier: Apache-2.0
// A thin bar that fills; without a known end, a part of it wanders.
#pragma once

#include <QTimer>
#include <QWidget>

#include "app/gui/theme.h"

namespace imprint::gui {

class ProgressLine : public QWidget {
    Q_OBJECT

public:
    explicit ProgressLine(const Theme& theme, QWidget* parent = nullptr);
    /// 0 to 1; negative: the end is not known yet.
    void set_share(double share);
    double share() const { return share_; }
    QSize sizeHint() const override { return {180, 12}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const Theme& theme_;
    QTimer wander_;
    double share_ = 0, phase_ = 0;
};

}  // namespace imprint::gui
