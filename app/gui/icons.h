// SPDX-License-Identifier: Apache-2.0
// The line icons of resources/icons, tinted with a colour of the theme.
#pragma once

#include <QColor>
#include <QIcon>
#include <QPixmap>
#include <QString>

namespace imprint::gui {

/// `name` is the file's name without ".svg". `size` in device-independent pixels.
QPixmap icon_pixmap(const QString& name, const QColor& colour, int size, qreal ratio = 1.0);
QIcon icon(const QString& name, const QColor& colour, int size = 16);

}  // namespace imprint::gui
