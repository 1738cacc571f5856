// SPDX-License-Identifier: Apache-2.0
// A training run in four cards (loss, held-out figures, accuracy, experts) over a line that says how far it is.
#pragma once

#include <QWidget>

#include "app/gui/expert_grid.h"
#include "app/gui/figure_label.h"
#include "app/gui/line_chart.h"
#include "app/gui/progress_line.h"
#include "app/gui/run_service.h"

namespace imprint::gui {

class RunView : public QWidget {
    Q_OBJECT

public:
    explicit RunView(const Theme& theme, QWidget* parent = nullptr);
    void show_run(const RunPicture& picture, RunService::State state);
    QString progress() const { return step_->text(); }
    const LineChart& loss() const { return *loss_; }
    const ExpertGrid& experts() const { return *experts_; }

private:
    FigureLabel *step_, *speed_, *saved_;
    ProgressLine* line_;
    LineChart *loss_, *held_out_, *accuracy_;
    ExpertGrid* experts_;
};

}  // namespace imprint::gui
