// SPDX-License-Identifier: Apache-2.0
// What is in the library: folders with their counts, the run under way, and the files that could not be read.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QStackedLayout>
#include <QVBoxLayout>
#include <QWidget>

#include "app/gui/empty_page.h"
#include "app/gui/failure_list.h"
#include "app/gui/figure_label.h"
#include "app/gui/progress_line.h"
#include "app/gui/session.h"

namespace imprint::gui {

class LibraryPage : public QWidget {
    Q_OBJECT

public:
    LibraryPage(const Theme& theme, Session& session, QWidget* parent = nullptr);
    void show_failures();
    int folder_count() const { return static_cast<int>(folder_paths_.size()); }
    FailureList& failures() { return *failures_; }

Q_SIGNALS:
    void add_folder_wanted();
    void added(const std::vector<std::filesystem::path>& paths);

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    QFrame* make_run_card();
    QFrame* make_failures_card();
    void refresh();
    void refresh_run();
    void rebuild_folders();
    void copy_failures() const;

    const Theme& theme_;
    Session& session_;
    QLabel *title_, *summary_;
    QPushButton* add_;
    QStackedLayout* stack_;
    EmptyPage* empty_;

    QFrame* run_card_;
    QLabel* run_title_;
    FigureLabel *run_numbers_, *run_file_;
    ProgressLine* run_line_;
    QPushButton *pause_, *cancel_;

    QVBoxLayout* folders_;
    std::vector<std::filesystem::path> folder_paths_;

    QFrame* failures_card_;
    QLabel* failures_title_;
    FailureList* failures_;
};

}  // namespace imprint::gui
