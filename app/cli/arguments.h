// SPDX-License-Identifier: Apache-2.0
// From the command line to a command.
#pragma once

#include <optional>

#include "app/cli/commands.h"

namespace imprint::cli {

struct Parsed {
    std::optional<Command> command;  ///< nothing: the program has said all (help, version, a usage error)
    Session session;
    int exit_code = kDone;
};

/// Help and version go to standard output, usage errors to standard error.
Parsed parse(int argc, char** argv);

}  // namespace imprint::cli
