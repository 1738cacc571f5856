// SPDX-License-Identifier: Apache-2.0
// What the window was in the middle of, for the next start: the page, the question, the run, and what was still to be indexed.
#pragma once

#include "app/gui/main_window.h"

class QSettings;

namespace imprint::gui {

void remember(QSettings& settings, MainWindow& window, Session& session);

/// Remembers also whenever an index begins or ends, so that one that is cut off by a crash or a power cut goes on too. To be
/// called after recall(); until `window` is gone.
void remember_indexing(QSettings& settings, MainWindow& window, Session& session);

/// Takes it up again. What belongs to another library is left alone; indexing that was cut off goes on.
void recall(const QSettings& settings, MainWindow& window, Session& session);

}  // namespace imprint::gui
