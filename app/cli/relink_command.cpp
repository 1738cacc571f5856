// SPDX-License-Identifier: Apache-2.0
// `imprint relink`.
#include <cinttypes>
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"

namespace imprint::cli {

int run(const RelinkCommand& command, const Session& session)
{
    const jobs::Engine engine(session.engine);
    const index::Relinked relinked = jobs::relink(engine, command.from, command.to);
    if (session.json)
        print_json({{"files", relinked.files}, {"roots", relinked.roots}});
    else
        std::printf("%" PRId64 " files are now looked for below %s.\n", relinked.files, printable(command.to.native()).c_str());
    return kDone;
}

}  // namespace imprint::cli
