// SPDX-License-Identifier: Apache-2.0
// The one box: chips, then a line to type in. Files, pictures and words may be dropped or pasted.
#pragma once

#include <QFrame>
#include <QLineEdit>
#include <QTemporaryDir>
#include <QTimer>
#include <memory>
#include <vector>

#include "app/gui/chip.h"
#include "app/gui/flow_layout.h"
#include "app/gui/thumbnails.h"

namespace imprint::gui {

class QueryBox : public QFrame {
    Q_OBJECT

public:
    QueryBox(const Theme& theme, Thumbnails& thumbnails, QWidget* parent = nullptr);

    /// Chips first, then what is typed, parsed as jobs::parse_query does.
    std::vector<jobs::QueryPart> parts() const;
    const std::vector<Chip*>& chips() const { return chips_; }
    QLineEdit& line() { return *line_; }

    void add(const jobs::QueryPart& part);
    /// Replaces everything by one part.
    void replace(const jobs::QueryPart& part);
    void set_typed(const QString& text);
    void clear();
    /// Turns what is typed into chips.
    void commit();
    /// The same, and all words are read as they stand: no slip is corrected.
    void take_literally();
    void focus_line();

    /// True when the data had something to search with; a picture without a file is kept in a temporary one.
    bool take(const QMimeData& data);

Q_SIGNALS:
    void edited();                                                            ///< by every keystroke and chip
    void submitted();                                                         ///< Enter
    void left_down();                                                         ///< the Down key: to the results
    void folders_dropped(const std::vector<std::filesystem::path>& folders);  ///< they belong into the library

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    std::vector<jobs::QueryPart> typed_parts() const;
    void insert(const jobs::QueryPart& part);
    void remove(Chip* chip);
    void fetch_pictures();
    void mark(const char* property, bool on);
    void retell();

    const Theme& theme_;
    Thumbnails& thumbnails_;
    FlowLayout* flow_;
    QLineEdit* line_;
    std::vector<Chip*> chips_;
    std::unique_ptr<QTemporaryDir> pasted_;
    int pasted_count_ = 0;
};

}  // namespace imprint::gui
