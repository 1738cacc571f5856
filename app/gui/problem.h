// SPDX-License-Identifier: Apache-2.0
// An error on its way to a person: what happened, to which file, what to do.
#pragma once

#include <QString>
#include <exception>
#include <optional>

#include "core/base/error.h"

namespace imprint::gui {

struct Problem {
    QString title;    ///< what happened
    QString subject;  ///< to which file or folder; may be empty
    QString remedy;   ///< what to do; may be empty
    std::optional<ErrorKind> kind;

    QString all() const;  ///< everything, for the clipboard
};

/// `doing` completes "Could not …".
Problem problem_of(const QString& doing, const std::exception& error);

}  // namespace imprint::gui
