// SPDX-License-Identifier: Apache-2.0
// The left edge: where to go, and what to leave out (kinds, folders, dates, lengths, stars, labels).
#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "app/gui/library_service.h"
#include "app/gui/side_rows.h"
#include "app/gui/theme.h"

namespace imprint::gui {

enum class Page { Search, Library, Label, Train };

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
    /// What a row of a choice reads, and what it makes of the filter.
    using Choice = std::pair<QString, std::function<void(index::Filter&)>>;

    static std::vector<Choice> dates();
    static std::vector<Choice> lengths();
    static std::vector<Choice> ratings();
    QLabel* caption(const QString& text);
    MenuRow* choice(const QString& what, const std::vector<Choice>& choices);
    void set_choices(MenuRow* row, const QString& what, const std::vector<Choice>& choices);
    void show_labels(const std::vector<std::string>& labels);
    void make_theme_menu();

    Theme& theme_;
    std::array<PageRow*, 4> pages_{};
    std::array<FilterRow*, 3> kinds_{};
    QLabel* folders_title_;
    QVBoxLayout* folder_rows_;
    std::vector<FilterRow*> folders_;
    std::vector<std::filesystem::path> folder_paths_;
    MenuRow *date_, *length_, *stars_, *label_;
    QLabel* label_title_;
    QWidget* filters_;
    QPushButton* scheme_;
    std::vector<std::string> labels_;
    index::Filter chosen_;  // by the menus
};

}  // namespace imprint::gui
