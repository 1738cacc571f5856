// SPDX-License-Identifier: Apache-2.0
// Start, watch, pause and resume a training run, or open one that runs elsewhere; learn from labelled folders; choose the model.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QStackedLayout>
#include <QWidget>

#include "app/gui/empty_page.h"
#include "app/gui/learn_view.h"
#include "app/gui/run_view.h"
#include "app/gui/session.h"

namespace imprint::gui {

class TrainPage : public QWidget {
    Q_OBJECT

public:
    TrainPage(const Theme& theme, Session& session, QWidget* parent = nullptr);

    void open_run(const std::filesystem::path& run);
    /// Learns a folder of labelled folders, by what LearnView is set to.
    void learn_folder(const std::filesystem::path& folder);
    /// Learns from the verdicts on a label set.
    void learn_reviewed(const LabelChoice& set);
    /// Learns what the options name, under this name on the page.
    void show_learning(const QString& name, const jobs::FinetuneOptions& options);
    LearnView& learn() { return *learn_view_; }
    RunView& run() { return *run_; }
    EmptyPage& empty() { return *empty_; }
    QPushButton& pause() { return *pause_; }
    QString title() const { return title_->text(); }
    QString summary() const { return summary_->text(); }
    bool settled() const { return !session_.runs.busy() && !session_.learn.busy(); }

Q_SIGNALS:
    void use_model_wanted(const std::filesystem::path& checkpoint);
    void label_wanted(const std::filesystem::path& set);
    void failed(const imprint::gui::Problem& problem);

private:
    QWidget* make_header();
    void fill_start_menu();
    void fill_open_menu();
    void fill_learn_menu();
    void fill_model_menu();
    void choose_folder();
    void choose_recipe();
    void start(const std::filesystem::path& recipe);
    void choose_run();
    void show_state();

    const Theme& theme_;
    Session& session_;
    QLabel *title_, *summary_;
    QPushButton *pause_, *open_, *start_, *use_, *learn_, *model_;
    EmptyPage* empty_;
    RunView* run_;
    LearnView* learn_view_;
    QString learned_;  // what is learned from, while that is shown
    QStackedLayout* stack_;
};

}  // namespace imprint::gui
