// SPDX-License-Identifier: Apache-2.0
// `imprint verify` and `imprint repair`.
#include <cinttypes>
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "index/verify.h"

namespace imprint::cli {
namespace {

void print_lines(const std::vector<std::string>& lines)
{
    for (const std::string& line : lines)
        std::printf("  %s\n", printable(line).c_str());
}

}  // namespace

int run(const VerifyCommand&, const Session& session)
{
    const jobs::Engine engine(session.engine);
    const index::Verdict verdict = index::verify(engine.library_folder(), session.cancel);
    const int64_t moments = verdict.counts.moments;
    const double bytes_per_moment = moments > 0 ? static_cast<double>(verdict.bytes) / static_cast<double>(moments) : 0;
    const bool good = verdict.problems.empty();
    if (session.json) {
        print_json({{"good", good},
                    {"problems", verdict.problems},
                    {"files", verdict.counts.files},
                    {"moments", moments},
                    {"failed", verdict.counts.failed},
                    {"vector_indexes", verdict.snapshots},
                    {"bytes", verdict.bytes},
                    {"bytes_per_moment", bytes_per_moment}});
    } else if (good) {
        std::printf("Whole: %" PRId64 " files with %" PRId64 " moments, %" PRId64 " failures, %" PRId64
                    " vector indexes; %.1f MB, %.0f bytes a moment.\n",
                    verdict.counts.files, moments, verdict.counts.failed, verdict.snapshots,
                    static_cast<double>(verdict.bytes) / 1e6, bytes_per_moment);
    } else {
        std::printf("%zu problems:\n", verdict.problems.size());
        print_lines(verdict.problems);
        print_problem("run 'imprint repair' to make the library whole again");
    }
    return good ? kDone : kDoneWithFailures;
}

int run(const RepairCommand&, const Session& session)
{
    const jobs::Engine engine(session.engine);
    const index::Repair repair = index::repair(engine.library_folder(), session.cancel);
    if (session.json) {
        Json document{{"done", repair.done}, {"to_index", repair.to_index}};
        if (!repair.kept.empty())
            put_path(document, "kept", repair.kept);
        print_json(document);
    } else if (repair.done.empty()) {
        std::printf("Nothing to repair.\n");
    } else {
        std::printf("Repaired:\n");
        print_lines(repair.done);
        if (repair.to_index > 0)
            std::printf("%" PRId64 " files are to be indexed again: run 'imprint index' on their folders.\n", repair.to_index);
    }
    return kDone;
}

}  // namespace imprint::cli
