// SPDX-License-Identifier: Apache-2.0
// `imprint index` and `imprint failures`.
#include <sys/stat.h>

#include <cinttypes>
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/cli/progress.h"

namespace imprint::cli {
namespace {

void tell(const jobs::IndexReport& report, const Session& session)
{
    if (session.json) {
        Json document{{"files", report.files},         {"indexed", report.indexed},
                      {"unchanged", report.unchanged}, {"failed", failures_json(report.failed)},
                      {"moments", report.moments},     {"seconds", report.seconds},
                      {"dropped", report.dropped},     {"moved", report.moved},
                      {"links", report.links},         {"cancelled", report.cancelled}};
        print_json(document);
    } else {
        std::printf("%" PRId64 " files: %" PRId64 " indexed (%" PRId64 " moments), %" PRId64 " unchanged, %zu failed, %" PRId64
                    " dropped, in %.1f s\n",
                    report.files, report.indexed, report.moments, report.unchanged, report.failed.size(), report.dropped,
                    report.seconds);
        if (!report.failed.empty()) {
            std::printf("Failed:\n");
            print_failures(report.failed);
        }
    }
    for (const auto& [from, to] : report.relinked)
        print_problem(printable(from.native()) + " is now at " + printable(to.native()));
    if (report.moved)
        print_problem(std::to_string(report.moved)
                      + (report.moved == 1 ? " moved file keeps its vectors" : " moved files keep their vectors"));
    if (report.links)
        print_problem(std::to_string(report.links) + " links were not followed; name their targets to index them");
}

int index_and_tell(const std::vector<std::filesystem::path>& paths, const Session& session)
{
    jobs::Engine engine(session.engine);
    jobs::IndexReport report;
    {
        ProgressLine line;
        report = jobs::index_paths(
            engine, paths, [&](const auto& progress) { line.show(progress); }, session.cancel);
    }
    tell(report, session);
    if (report.cancelled) {
        print_problem("stopped on request; what was indexed is kept, the same command goes on from here");
        return kCannot;
    }
    return report.failed.empty() ? kDone : kDoneWithFailures;
}

/// Until stopped, which is how it is meant to end.
int watch_and_tell(const std::vector<std::filesystem::path>& paths, const Session& session)
{
    jobs::Engine engine(session.engine);
    jobs::watch_paths(
        engine, paths,
        [&](const jobs::IndexReport& report) {
            tell(report, session);
            std::fflush(stdout);
        },
        {}, session.cancel);
    return kDone;
}

}  // namespace

int run(const IndexCommand& command, const Session& session)
{
    return command.watch ? watch_and_tell(command.paths, session) : index_and_tell(command.paths, session);
}

int run(const FailuresCommand& command, const Session& session)
{
    const jobs::Engine engine(session.engine);
    std::vector<index::Failure> failures;
    if (command.retry) {
        engine.checkpoint();  // before anything is forgotten
        index::Library library(engine.library_folder(), index::OpenMode::ReadWrite);
        failures = library.failures();
        library.forget_failures();
    } else {
        failures = index::Library(engine.library_folder(), index::OpenMode::ReadOnly).failures();
    }
    if (command.retry && !failures.empty()) {
        std::vector<std::filesystem::path> paths;
        struct stat status { };
        for (const index::Failure& failure : failures)
            if (::lstat(failure.path.c_str(), &status) == 0)
                paths.push_back(failure.path);
        if (!paths.empty())
            return index_and_tell(paths, session);
        failures.clear();
    }
    if (session.json)
        print_json({{"failures", failures_json(failures)}});
    else if (failures.empty())
        std::printf("No failures.\n");
    else
        print_failures(failures);
    return kDone;
}

}  // namespace imprint::cli
