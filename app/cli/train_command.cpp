// SPDX-License-Identifier: Apache-2.0
// `imprint train`.
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "training/trainer.h"

namespace imprint::cli {

int run(const TrainCommand& command, const Session& session)
{
    training::TrainOptions options;
    options.recipe = command.recipe;
    options.run = command.run;
    options.steps = command.steps;
    options.resume = command.resume;
    options.encoder = session.engine.encoder;
    options.cancel = session.cancel;
    options.log = [](const std::string& line) { std::fprintf(stderr, "%s\n", printable(line).c_str()); };
    const training::TrainReport report = training::run(options);
    if (session.json) {
        Json document{{"step", report.step}, {"seconds", report.seconds}, {"finished", report.finished}};
        if (report.finished)
            put_path(document, "checkpoint", report.checkpoint);
        print_json(document);
    } else if (report.finished) {
        std::printf("%s\n", printable(report.checkpoint.native()).c_str());
    }
    if (report.finished)
        return kDone;
    print_problem("stopped on request at step " + std::to_string(report.step) + "; --resume goes on from there");
    return kDone;  // stopping is what was asked for, and a state to go on from is written
}

}  // namespace imprint::cli
