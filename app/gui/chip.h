// SPDX-License-Identifier: Apache-2.0
// One part of the question as a small token: words or a file, wanted or not, with its weight.
#pragma once

#include <QImage>
#include <QWidget>

#include "app/gui/theme.h"
#include "app/jobs/jobs.h"

namespace imprint::gui {

class Chip : public QWidget {
    Q_OBJECT

public:
    Chip(const Theme& theme, jobs::QueryPart part, QWidget* parent = nullptr);

    const jobs::QueryPart& part() const { return part_; }
    bool excluded() const { return part_.weight < 0 || part_.role == jobs::QueryPart::Role::Less; }
    void set_excluded(bool excluded);
    double strength() const;             ///< 1 for the usual weight of its sign
    void set_strength(double strength);  ///< kept within 0.25 to 4; a judged answer has none
    void set_literal();                  ///< words are read as they stand from now on
    void set_thumbnail(const QImage& image);
    QString label() const;  ///< as shown: "− people", "pier.jpg ×0.5"

    QSize sizeHint() const override;

Q_SIGNALS:
    void changed();
    void removed();
    void edit_wanted();               ///< turn the words back into typed text
    void step_wanted(int direction);  ///< move the focus: -1 or 1

protected:
    void paintEvent(QPaintEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    bool judged() const { return part_.role != jobs::QueryPart::Role::Part; }
    void retell();
    void open_menu(const QPoint& global);
    QRect close_rect() const;

    const Theme& theme_;
    jobs::QueryPart part_;
    QImage thumbnail_;
};

/// Whether the part is made of words, and not of a file or a concept.
inline bool is_words(const jobs::QueryPart& part) { return part.file.empty() && part.concept_name.empty(); }

/// The part as it would be typed; the inverse of jobs::parse_query for words.
QString typed_form(const jobs::QueryPart& part);

}  // namespace imprint::gui
