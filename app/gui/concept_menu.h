// SPDX-License-Identifier: Apache-2.0
// Searches that were given a name: keeps the one in the box, asks one again, forgets one.
#pragma once

#include <QPushButton>
#include <QStringList>

#include "app/gui/theme.h"

namespace imprint::gui {

class ConceptMenu : public QPushButton {
    Q_OBJECT

public:
    explicit ConceptMenu(const Theme& theme, QWidget* parent = nullptr);

    void set_names(const QStringList& names) { names_ = names; }
    const QStringList& names() const { return names_; }
    void set_can_keep(bool can) { can_keep_ = can; }  ///< something is in the box
    /// Asks for a name, then emits keep_wanted().
    void ask_name();

Q_SIGNALS:
    void keep_wanted(const QString& name);
    void chosen(const QString& name);
    void forget_wanted(const QString& name);

private:
    void fill();

    QStringList names_;
    bool can_keep_ = false;
};

}  // namespace imprint::gui
