// SPDX-License-Identifier: Apache-2.0
// The list that labels are reviewed in: each row shows a moment, its likeliest answers by digit, and what was said. By keyboard
// alone: 1–9 give an answer, 0 says none of them, Space accepts, J and K (or the arrows) move, L plays, Z undoes.
#pragma once

#include <QListView>

#include "app/gui/review_model.h"
#include "app/gui/theme.h"
#include "app/gui/thumbnails.h"

namespace imprint::gui {

class ReviewView : public QListView {
    Q_OBJECT

public:
    static constexpr int row_height = 112, answers_shown = 3;

    ReviewView(const Theme& theme, Thumbnails& thumbnails, ReviewModel& model, QWidget* parent = nullptr);
    static ThumbnailWish wish_for(const jobs::LabelledFile& file, const index::Moment& moment);
    /// To the next row without a verdict, else the next row.
    void go_on();

Q_SIGNALS:
    void said(int row, int label);
    void undo_wanted();
    void look_wanted(int row);
    void current_changed(int row);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;

private:
    void move(int by);

    ReviewModel& model_;
};

}  // namespace imprint::gui
