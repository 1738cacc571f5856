// SPDX-License-Identifier: Apache-2.0
// The moments of one file that answer the question: band, time, and whether it is seen or heard. They can be dragged out.
#pragma once

#include <QListWidget>
#include <vector>

#include "app/gui/theme.h"
#include "index/search.h"

namespace imprint::gui {

class MomentList : public QListWidget {
    Q_OBJECT

public:
    explicit MomentList(const Theme& theme, QWidget* parent = nullptr);
    void set_moments(std::vector<index::MomentHit> moments);
    const std::vector<index::MomentHit>& moments() const { return moments_; }
    const Theme& theme() const { return theme_; }

Q_SIGNALS:
    void picked(int index);
    void dragged(int index);
    void menu_wanted(int index, const QPoint& global);

protected:
    void startDrag(Qt::DropActions supported) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    const Theme& theme_;
    std::vector<index::MomentHit> moments_;
};

}  // namespace imprint::gui
