// SPDX-License-Identifier: Apache-2.0
// Qt 6.4 has no colour-scheme hint of its own: the freedesktop portal is asked over D-Bus.
#include "app/gui/system_scheme.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>

namespace imprint::gui {
namespace {

const QString service = QStringLiteral("org.freedesktop.portal.Desktop");
const QString object = QStringLiteral("/org/freedesktop/portal/desktop");
const QString interface_name = QStringLiteral("org.freedesktop.portal.Settings");
const QString group_name = QStringLiteral("org.freedesktop.appearance");
const QString key_name = QStringLiteral("color-scheme");

}  // namespace

SystemScheme::SystemScheme(const QPalette& platform, QObject* parent) : QObject(parent)
{
    platform_dark_ = platform.color(QPalette::Window).lightness() < platform.color(QPalette::WindowText).lightness();
    dark_ = platform_dark_;

    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected())
        return;
    bus.connect(service, object, interface_name, QStringLiteral("SettingChanged"), this,
                SLOT(setting_changed(QString, QString, QDBusVariant)));
    QDBusMessage ask = QDBusMessage::createMethodCall(service, object, interface_name, QStringLiteral("Read"));
    ask << group_name << key_name;
    auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(ask), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher* call) {
        const QDBusPendingReply<QDBusVariant> reply = *call;
        call->deleteLater();
        if (!reply.isError())
            setting_changed(group_name, key_name, reply.value());
    });
}

void SystemScheme::setting_changed(const QString& group, const QString& key, const QDBusVariant& value)
{
    if (group != group_name || key != key_name)
        return;
    QVariant inner = value.variant();
    // Older portals wrap the value twice.
    if (inner.canConvert<QDBusVariant>())
        inner = inner.value<QDBusVariant>().variant();
    take(inner.toUInt());
}

void SystemScheme::take(uint scheme)
{
    const bool dark = scheme == 1 || (scheme != 2 && platform_dark_);
    if (dark == dark_)
        return;
    dark_ = dark;
    Q_EMIT changed(dark);
}

}  // namespace imprint::gui
