// SPDX-License-Identifier: Apache-2.0
// `imprint duplicates`.
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/jobs/duplicates_job.h"

namespace imprint::cli {

int run(const DuplicatesCommand&, const Session& session)
{
    jobs::Engine engine(session.engine);
    const jobs::Duplicates found = jobs::find_duplicates(engine, {}, session.cancel);
    if (session.json) {
        Json document{{"groups", Json::array()}, {"compared", found.compared}, {"failed", failures_json(found.failed)}};
        for (const std::vector<index::FileRow>& group : found.groups) {
            Json files = Json::array();
            for (const index::FileRow& row : group) {
                Json file;
                put_path(file, "path", row.facts.path);
                file["kind"] = media::kind_name(row.probe.kind);
                file["bytes"] = row.facts.size;
                file["width"] = row.probe.width;
                file["height"] = row.probe.height;
                files.push_back(std::move(file));
            }
            document["groups"].push_back(std::move(files));
        }
        print_json(document);
    } else {
        for (const std::vector<index::FileRow>& group : found.groups) {
            for (const index::FileRow& row : group)
                std::printf("%s\n", printable(row.facts.path.native()).c_str());
            std::printf("\n");
        }
        print_failures(found.failed);
        if (found.groups.empty())
            std::fprintf(stderr, "No file shows or sounds the same as another.\n");
    }
    return found.failed.empty() ? kDone : kDoneWithFailures;
}

}  // namespace imprint::cli
