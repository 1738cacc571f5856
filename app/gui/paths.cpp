// SPDX-License-Identifier: Apache-2.0
// text/uri-list is written and read here as bytes: QUrl alone would lose names that are not UTF-8.
#include "app/gui/paths.h"

#include <QFile>
#include <QMimeData>

namespace imprint::gui {
namespace {

const QString uri_list = QStringLiteral("text/uri-list");

}  // namespace

QString shown_path(const std::filesystem::path& path)
{
    return QString::fromUtf8(path.native().data(), static_cast<qsizetype>(path.native().size()));
}

QString shown_name(const std::filesystem::path& path)
{
    const auto name = path.filename();
    return shown_path(name.empty() ? path : name);
}

std::filesystem::path path_of(const QString& text) { return std::filesystem::path(QFile::encodeName(text).toStdString()); }

std::filesystem::path path_of(const QUrl& url)
{
    return url.isLocalFile() ? path_of(url.toLocalFile()) : std::filesystem::path();
}

QMimeData* files_for_others(const std::vector<std::filesystem::path>& files)
{
    QByteArray list;
    QString text;
    for (const auto& file : files) {
        list += "file://" + QByteArray::fromStdString(file.native()).toPercentEncoding("/") + "\r\n";
        text += (text.isEmpty() ? QString() : QStringLiteral("\n")) + shown_path(file);
    }
    auto* data = new QMimeData;
    data->setData(uri_list, list);
    data->setText(text);
    return data;
}

std::vector<std::filesystem::path> files_from_others(const QMimeData& data)
{
    std::vector<std::filesystem::path> files;
    for (const QByteArray& raw : data.data(uri_list).split('\n')) {
        QByteArray line = raw.trimmed();
        if (!line.startsWith("file://"))
            continue;
        line = line.mid(7);
        if (!line.startsWith('/'))
            line = line.mid(std::max<qsizetype>(0, line.indexOf('/')));
        files.emplace_back(QByteArray::fromPercentEncoding(line).toStdString());
    }
    if (files.empty())
        for (const QUrl& url : data.urls())
            if (auto path = path_of(url); !path.empty())
                files.push_back(std::move(path));
    return files;
}

}  // namespace imprint::gui
