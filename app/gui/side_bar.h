// SPDX-License-Identifier: Apache-2.0
// The left edge: where to go, and what to leave out (kinds, folders, dates).
#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <array>
#include <optional>
#include <vector>

#include "app/gui/library_service.h"
#include "app/gui/side_rows.h"
#include "app/gui/theme.h"

namespace imprint::gui {

enum class Page { Search, Library };

class SideBar : public QFrame {
    Q_OBJECT

public:
    explicit SideBar(Theme& theme, QWidget* parent = nullptr);

    void set_page(Page page);
    void show_library(const LibraryState& state);
    /// What is ticked, without modalities. Nothing ticked in a group means the same as everything.
    index::Filter filter() const;
    const std::vector<FilterRow*>& folder_rows() const { return folders_; }

Q_SIGNALS:
    void page_wanted(imprint::gui::Page page);
    void filter_changed();

private:
    QLabel* caption(const QString& text);
    void make_theme_menu();

    Theme& theme_;
    std::array<PageRow*, 2> pages_{};
    std::array<FilterRow*, 3> kinds_{};
    QLabel* folders_title_;
    QVBoxLayout* folder_rows_;
    std::vector<FilterRow*> folders_;
    std::vector<std::filesystem::path> folder_paths_;
    MenuRow* date_;
    QPushButton* scheme_;
    std::optional<int64_t> after_;
};

}  // namespace imprint::gui
