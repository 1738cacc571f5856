// SPDX-License-Identifier: Apache-2.0
// `imprint bench`.
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/jobs/bench_job.h"

namespace imprint::cli {
namespace {

Json known_json(const jobs::KnownItems& known)
{
    return {{"asked", known.asked}, {"r_at_1", known.first}, {"r_at_10", known.first_ten}};
}

void print_known(const char* what, const jobs::KnownItems& known)
{
    if (known.asked > 0)
        std::printf("%-44s R@1 %5.1f %%   R@10 %5.1f %%   of %d\n", what, 100 * known.first, 100 * known.first_ten, known.asked);
}

}  // namespace

int run(const BenchCommand& command, const Session& session)
{
    jobs::Engine engine(session.engine);
    const jobs::LibraryBench bench = jobs::bench_library(engine, command.items, session.cancel);
    if (session.json) {
        Json document{{"space", bench.space}, {"files", bench.counts.files}, {"moments", bench.counts.moments}};
        document["known_items"] = {
            {"mirrored", known_json(bench.mirrored)}, {"shifted", known_json(bench.shifted)}, {"named", known_json(bench.named)}};
        document["images_per_second"] = bench.images_per_second;
        document["text_ms"] = {{"median", bench.text_ms}, {"p95", bench.text_ms_p95}, {"exact_scan", bench.exact_ms}};
        document["index"] = {{"recall_at_10", bench.recall},
                             {"approximate", {{"picture", bench.approximate[0]}, {"sound", bench.approximate[1]}}},
                             {"bytes", bench.bytes}};
        print_json(document);
        return kDone;
    }
    std::printf("%lld files, %lld moments, %s\n", static_cast<long long>(bench.counts.files),
                static_cast<long long>(bench.counts.moments), printable(bench.space).c_str());
    print_known("pictures, asked for mirrored", bench.mirrored);
    print_known("moments, asked for half a length later", bench.shifted);
    print_known("files, asked for by the words of their name", bench.named);
    std::printf("%-44s %.1f images/s, decoded and encoded one by one\n", "indexing", bench.images_per_second);
    std::printf("%-44s %.1f ms (95 %% within %.1f ms); with an exact scan %.1f ms\n", "a question of words", bench.text_ms,
                bench.text_ms_p95, bench.exact_ms);
    std::printf("%-44s recall@10 %.3f, %s, %.1f MB\n", "the vector index", bench.recall,
                bench.approximate[0] || bench.approximate[1] ? "inverted file" : "exact scans",
                static_cast<double>(bench.bytes) / 1e6);
    return kDone;
}

}  // namespace imprint::cli
