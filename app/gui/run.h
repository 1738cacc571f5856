// SPDX-License-Identifier: Apache-2.0
// From options to a running window, and to a screenshot where one is asked for.
#pragma once

#include "app/gui/app_options.h"

class QApplication;

namespace imprint::gui {

/// Runs the event loop; returns the exit code (3: no model or library could be opened, or no screenshot be written).
int run(QApplication& application, const AppOptions& options);

}  // namespace imprint::gui
