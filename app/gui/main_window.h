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
#include "app/gui/train_page.h"

namespace imprint::gui {

class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    MainWindow(Theme& theme, Session& session, QWidget* parent = nullptr);

    void show_page(Page page);
    Page page() const { return static_cast<Page>(pages_->currentIndex()); }
    void add(const std::vector<std::filesystem::path>& paths);
    void search_for(const QString& text);
    /// Switches the library to another checkpoint in the background; restart_wanted() when that is done.
    void use_model(const std::filesystem::path& checkpoint) { session_.index.use_model(checkpoint); }
    bool settled() const;  ///< no indexing, no search, no picture is on its way

    SearchPage& search_page() { return *search_; }
    LibraryPage& library_page() { return *library_; }
    LabelPage& label_page() { return *label_; }
    TrainPage& train_page() { return *train_; }
    SideBar& side_bar() { return *side_; }
    NoticeBar& notice() { return *notice_; }
    StatusStrip& status() { return *status_; }

Q_SIGNALS:
    /// The library has another model now: what is open must be opened anew.
    void restart_wanted();

private:
    void choose_folder();
    void try_samples();
    void connect_all();
    void connect_problems();
    void make_shortcuts();

    Theme& theme_;
    Session& session_;
    SideBar* side_;
    QStackedWidget* pages_;
    SearchPage* search_;
    LibraryPage* library_;
    LabelPage* label_;
    TrainPage* train_;
    NoticeBar* notice_;
    StatusStrip* status_;
    bool switched_ = false;  // what is open is of the model before
    QTimer refresh_;         // of counts, while a run is under way
};

}  // namespace imprint::gui
