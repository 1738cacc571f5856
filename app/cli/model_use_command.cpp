// SPDX-License-Identifier: Apache-2.0
// `imprint model use`.
#include <cinttypes>
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/cli/progress.h"

namespace imprint::cli {

int run(const ModelUseCommand& command, const Session& session)
{
    jobs::EngineOptions options = session.engine;
    options.checkpoint = command.checkpoint.empty() ? jobs::default_checkpoint() : command.checkpoint;
    jobs::Engine engine(options);
    jobs::ModelSwitch done;
    {
        ProgressLine line;
        done = jobs::use_model(
            engine, [&](const auto& progress) { line.show(progress); }, session.cancel);
    }
    if (done.report.cancelled) {
        print_problem("stopped on request; the library uses its old model, the same command goes on from here");
        return kCannot;
    }
    const std::string& space = engine.encoder().space();
    if (session.json)
        print_json({{"space", space},
                    {"indexed", done.report.indexed},
                    {"unchanged", done.report.unchanged},
                    {"failed", failures_json(done.report.failed)},
                    {"away", done.away},
                    {"seconds", done.report.seconds}});
    else
        std::printf("The library now uses %s: %" PRId64 " files read again, %" PRId64 " known already, in %.1f s.\n",
                    space.c_str(), done.report.indexed, done.report.unchanged, done.report.seconds);
    if (done.away > 0)
        print_problem(std::to_string(done.away)
                      + " files could not be read again (their disk is away, or they are damaged now): they "
                        "are found once they have been indexed");
    return done.report.failed.empty() ? kDone : kDoneWithFailures;
}

}  // namespace imprint::cli
