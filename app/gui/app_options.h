// SPDX-License-Identifier: Apache-2.0
// The window's command line.
#pragma once

#include <QString>
#include <QStringList>
#include <filesystem>
#include <optional>
#include <vector>

#include "app/gui/theme.h"

namespace imprint::gui {

struct AppOptions {
    std::filesystem::path library, model;  ///< empty: as remembered, else the default
    std::vector<std::filesystem::path> add;
    QString search;
    int open = 0;               ///< the result to open, from 1; 0: none
    QString page;               ///< "search", "library", "label" or "train": starts there; empty: search
    QString labels;             ///< the label set to open on its page, by name
    std::filesystem::path run;  ///< the training run to open on its page
    std::optional<ThemeMode> theme;
    QString screenshot;  ///< file to write the window to before quitting; empty: stay open
    int after_ms = -1;   ///< negative: when everything has arrived
};

/// Prints help or what is wrong and ends the process where that is due. Needs a QCoreApplication.
AppOptions parse_options(const QStringList& arguments);

}  // namespace imprint::gui
