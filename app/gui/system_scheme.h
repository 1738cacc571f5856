// SPDX-License-Identifier: Apache-2.0
// Whether the desktop is dark: the portal's setting where there is one, else the platform's own palette.
#pragma once

#include <QDBusVariant>
#include <QObject>
#include <QPalette>
#include <QString>

namespace imprint::gui {

class SystemScheme : public QObject {
    Q_OBJECT

public:
    /// `platform` is the palette as Qt found it, before any theme touched it. Asks the portal without waiting for it.
    explicit SystemScheme(const QPalette& platform, QObject* parent = nullptr);
    bool dark() const { return dark_; }

Q_SIGNALS:
    void changed(bool dark);

private Q_SLOTS:
    void setting_changed(const QString& group, const QString& key, const QDBusVariant& value);

private:
    void take(uint scheme);

    bool platform_dark_ = false;
    bool dark_ = false;
};

}  // namespace imprint::gui
