// SPDX-License-Identifier: Apache-2.0
// One folder of the library: its name, where it lies, what it holds, and whether it is there.
#pragma once

#include <QFrame>
#include <QPushButton>

#include "app/gui/library_service.h"
#include "app/gui/theme.h"

namespace imprint::gui {

class FolderCard : public QFrame {
    Q_OBJECT

public:
    FolderCard(const Theme& theme, const RootState& root, QWidget* parent = nullptr);
    void set_root(const RootState& root);
    void set_busy(bool busy);  ///< it is being indexed

Q_SIGNALS:
    void update_wanted();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const Theme& theme_;
    RootState root_;
    bool busy_ = false;
    QPushButton* update_;
};

}  // namespace imprint::gui
