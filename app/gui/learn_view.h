// SPDX-License-Identifier: Apache-2.0
// Learning in one place: how (mode, blend), how far, and before/after with what it cost and the way back.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QSlider>
#include <QTableView>
#include <QWidget>

#include "app/gui/learn_model.h"
#include "app/gui/progress_line.h"
#include "app/gui/segmented.h"
#include "app/gui/theme.h"

namespace imprint::gui {

class LearnView : public QWidget {
    Q_OBJECT

public:
    LearnView(const Theme& theme, LearnService& learn, QWidget* parent = nullptr);

    /// Starts to learn what the options name, by the mode that is chosen here.
    void start(const jobs::FinetuneOptions& what);
    LearnModel& model() { return model_; }
    Segmented& mode() { return *mode_; }
    QSlider& blend() { return *blend_; }
    QPushButton& stop() { return *stop_; }
    QPushButton& again() { return *again_; }
    QPushButton& use() { return *use_; }
    QPushButton& label() { return *label_; }
    QString verdict() const { return verdict_->text(); }

Q_SIGNALS:
    void use_model_wanted(const std::filesystem::path& checkpoint);
    void label_wanted(const std::filesystem::path& set);

private:
    QWidget* make_result();
    void begin();  // by the mode and the blend that are chosen
    void show_progress(const jobs::FinetuneProgress& progress);
    void take(const LearnReportPtr& report);
    void show_state();
    void show_blend();

    LearnService& learn_;
    LearnModel model_;
    jobs::FinetuneOptions what_;
    std::vector<jobs::BlendRow> looked_at_;  // of the weights that were learned last
    Segmented* mode_;
    QLabel *stage_, *verdict_, *blended_, *warnings_;
    ProgressLine* line_;
    QPushButton *stop_, *again_, *use_, *label_;
    QTableView* table_;
    QSlider* blend_;
    QWidget* result_;
};

}  // namespace imprint::gui
