// SPDX-License-Identifier: Apache-2.0
// `imprint report`.
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "training/log/report.h"

namespace imprint::cli {

int run(const ReportCommand& command, const Session& session)
{
    const std::filesystem::path out = command.out.empty() ? command.run / "report.html" : command.out;
    training::write_report(command.run, out);
    if (session.json) {
        Json document;
        put_path(document, "report", out);
        print_json(document);
    } else {
        std::printf("%s\n", printable(out.native()).c_str());
    }
    return kDone;
}

}  // namespace imprint::cli
