// SPDX-License-Identifier: Apache-2.0
// Paths are bytes; what people see of them is text. These turn one into the other at the window's border.
#pragma once

#include <QString>
#include <QUrl>
#include <filesystem>

class QMimeData;

namespace imprint::gui {

QString shown_path(const std::filesystem::path& path);  ///< bytes that are not UTF-8 show as replacement marks
QString shown_name(const std::filesystem::path& path);
std::filesystem::path path_of(const QString& text);  ///< for paths that came from Qt (dialogs, drops, arguments)
std::filesystem::path path_of(const QUrl& url);      ///< empty unless local

/// Files for dragging or copying out, byte-exact in text/uri-list. The caller owns the result.
QMimeData* files_for_others(const std::vector<std::filesystem::path>& files);
/// Local files that a drop or the clipboard brings; folders too.
std::vector<std::filesystem::path> files_from_others(const QMimeData& data);

}  // namespace imprint::gui
