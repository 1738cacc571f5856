// SPDX-License-Identifier: Apache-2.0
// The window: side bar, the pages, the strip at the bottom, and the wires between them.
#pragma once

#include <QMainWindow>
#include <QStackedWidget>
#include <QTimer>

#include "app/gui/label_page.h"
#include "app/gui/library_page.h"
#include "app/gui/notice_bar.h"
#include "app/gui/search_page.h"
#include "app/gui/session.h"
#include "app/gui/side_bar.h"
#include "app/gui/status_strip.h"

namespace imprint::gui {

class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    MainWindow(Theme& theme, Session& session, QWidget* parent = nullptr);

    void show_page(Page page);
    void add(const std::vector<std::filesystem::path>& paths);
    void search_for(const QString& text);
    bool settled() const;  ///< no indexing, no search, no picture is on its way

    SearchPage& search_page() { return *search_; }
    LibraryPage& library_page() { return *library_; }
    LabelPage& label_page() { return *label_; }
    SideBar& side_bar() { return *side_; }
    NoticeBar& notice() { return *notice_; }
    StatusStrip& status() { return *status_; }

private:
    void choose_folder();
    void connect_all();
    void make_shortcuts();

    Theme& theme_;
    Session& session_;
    SideBar* side_;
    QStackedWidget* pages_;
    SearchPage* search_;
    LibraryPage* library_;
    LabelPage* label_;
    NoticeBar* notice_;
    StatusStrip* status_;
    QTimer refresh_;  // of counts, while a run is under way
};

}  // namespace imprint::gui
