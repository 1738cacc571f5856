// SPDX-License-Identifier: Apache-2.0
// The menu is made when it opens: what it holds has changed by then.
#include "app/gui/concept_menu.h"

#include <QInputDialog>
#include <QMenu>

#include "app/gui/icons.h"

namespace imprint::gui {
namespace {

/// A name as a menu shows it: "&" would underline.
QString plain(QString name) { return name.replace(QLatin1Char('&'), QLatin1String("&&")); }

}  // namespace

ConceptMenu::ConceptMenu(const Theme& theme, QWidget* parent) : QPushButton(tr("Concepts"), parent)
{
    setProperty("role", "quiet");
    setAccessibleName(tr("Concepts"));
    setToolTip(tr("Searches kept by name"));
    setLayoutDirection(Qt::RightToLeft);
    setIconSize({12, 12});
    setMenu(new QMenu(this));
    connect(menu(), &QMenu::aboutToShow, this, &ConceptMenu::fill);
    const auto tint = [this, &theme] { setIcon(gui::icon(QStringLiteral("chevron-down"), theme.colours().dim, 12)); };
    connect(&theme, &Theme::changed, this, tint);
    tint();
}

void ConceptMenu::fill()
{
    menu()->clear();
    QAction* keep = menu()->addAction(tr("Keep this search…"));
    keep->setEnabled(can_keep_);
    connect(keep, &QAction::triggered, this, &ConceptMenu::ask_name);
    if (names_.isEmpty())
        return;
    menu()->addSeparator();
    for (const QString& name : names_)
        connect(menu()->addAction(plain(name)), &QAction::triggered, this, [this, name] { Q_EMIT chosen(name); });
    menu()->addSeparator();
    QMenu* forget = menu()->addMenu(tr("Forget"));
    for (const QString& name : names_)
        connect(forget->addAction(plain(name)), &QAction::triggered, this, [this, name] { Q_EMIT forget_wanted(name); });
}

void ConceptMenu::ask_name()
{
    auto* dialog = new QInputDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Keep this search"));
    dialog->setLabelText(tr("Its name; one that is there is replaced"));
    connect(dialog, &QInputDialog::textValueSelected, this, [this](const QString& name) {
        if (!name.trimmed().isEmpty())
            Q_EMIT keep_wanted(name.trimmed());
    });
    dialog->open();
}

}  // namespace imprint::gui
