// SPDX-License-Identifier: Apache-2.0
// A card with curves over steps: a title, a legend with last values, and the chart, in the colours of the theme.
#pragma once

#include <QChartView>
#include <QFrame>
#include <QLabel>
#include <QValueAxis>
#include <map>
#include <string>

#include "app/gui/theme.h"
#include "training/log/run_metrics.h"

namespace imprint::gui {

class LineChart : public QFrame {
    Q_OBJECT

public:
    /// `title`: of the card; `waiting` stands in it while there is no curve.
    LineChart(const Theme& theme, const QString& title, const QString& waiting, QWidget* parent = nullptr);
    /// `until`: the step that the axis reaches to at least.
    void set_curves(const std::map<std::string, training::Curve>& curves, double until = 1);
    QString legend() const { return legend_->text(); }
    const QChart& chart() const { return *view_->chart(); }

private:
    void draw();
    void tint();

    const Theme& theme_;
    std::map<std::string, training::Curve> curves_;
    QLabel* legend_;
    QString waiting_;
    double until_ = 1;
    QChartView* view_;
    QValueAxis *steps_, *values_;
};

}  // namespace imprint::gui
