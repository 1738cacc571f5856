// SPDX-License-Identifier: Apache-2.0
// What the data tests share: files, and an error's kind and words.
#pragma once

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <functional>
#include <string>

#include "core/base/error.h"

namespace imprint::training::test {

inline std::string write(const QTemporaryDir& dir, const QString& name, const QByteArray& bytes)
{
    const QString path = dir.filePath(name);
    QDir().mkpath(QFileInfo(path).path());
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
        qFatal("cannot write %s", qPrintable(path));
    return path.toStdString();
}

/// "malformed|SUBJECT|REASON" of what the call throws; "nothing" where it does not. A typed error always says what to do.
inline QString thrown(const std::function<void()>& call)
{
    try {
        call();
    } catch (const Error& error) {
        return QString("%1|%2|%3")
            .arg(error_kind_name(error.kind()), QString::fromStdString(error.subject()), QString::fromStdString(error.reason()));
    }
    return "nothing";
}

}  // namespace imprint::training::test
