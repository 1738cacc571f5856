// SPDX-License-Identifier: Apache-2.0
// A few choices side by side, one of them taken.
#pragma once

#include <QButtonGroup>
#include <QFrame>
#include <QStringList>

namespace imprint::gui {

class Segmented : public QFrame {
    Q_OBJECT

public:
    Segmented(const QString& name, const QStringList& choices, QWidget* parent = nullptr);
    int chosen() const { return group_->checkedId(); }
    void choose(int index);

Q_SIGNALS:
    void chosen_changed(int index);

private:
    QButtonGroup* group_;
};

}  // namespace imprint::gui
