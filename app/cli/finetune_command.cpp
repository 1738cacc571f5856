// SPDX-License-Identifier: Apache-2.0
// `imprint finetune`.
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/jobs/finetune_job.h"

namespace imprint::cli {
namespace {

Json share_json(const jobs::Estimate& share) { return {{"share", share.share}, {"low", share.low}, {"high", share.high}}; }

Json row_json(const jobs::ClassRow& row)
{
    Json json{{"name", row.name},
              {"files", row.files},
              {"held_out", row.held_out},
              {"by_name", share_json(row.by_name)},
              {"probed", share_json(row.probed)},
              {"tuned", nullptr}};
    if (row.tuned)
        json["tuned"] = share_json(*row.tuned);
    return json;
}

Json retention_json(const jobs::Retention& kept)
{
    return {{"before", kept.before}, {"after", kept.after}, {"loss", kept.loss()},
            {"low", kept.low},       {"high", kept.high},   {"queries", kept.queries}};
}

Json document_of(const jobs::FinetuneReport& report)
{
    Json document{{"mode", jobs::finetune_mode_name(report.mode)},
                  {"name", report.name},
                  {"space", report.space},
                  {"checkpoint", nullptr},
                  {"files", report.files},
                  {"examples", report.examples},
                  {"classes", Json::array()},
                  {"all", row_json(report.all)},
                  {"left_out", Json::array()},
                  {"retention", nullptr},
                  {"blend", report.blend},
                  {"blends", Json::array()},
                  {"steps", report.steps},
                  {"learned_before", report.learned_before},
                  {"warnings", report.warnings},
                  {"seconds", report.seconds}};
    put_path(document, "label_set", report.label_set);
    if (!report.checkpoint.empty())
        put_path(document, "checkpoint", report.checkpoint);
    for (const jobs::ClassRow& row : report.classes)
        document["classes"].push_back(row_json(row));
    for (const auto& [name, files] : report.left_out)
        document["left_out"].push_back({{"name", name}, {"files", files}});
    if (report.retention)
        document["retention"] = retention_json(*report.retention);
    for (const jobs::BlendRow& row : report.blends)
        document["blends"].push_back(
            {{"blend", row.blend}, {"accuracy", row.accuracy}, {"retention", retention_json(row.retention)}});
    document["failed"] = failures_json(report.failed);
    return document;
}

void print_row(const jobs::ClassRow& row, size_t width)
{
    const auto percent = [](const jobs::Estimate& share) { return 100 * share.share; };
    std::printf("%-*s %6lld %9lld %8.0f %% %6.0f %%", static_cast<int>(width), printable(row.name).c_str(),
                static_cast<long long>(row.files), static_cast<long long>(row.held_out), percent(row.by_name),
                percent(row.probed));
    if (row.tuned)
        std::printf(" %6.0f %%", percent(*row.tuned));
    std::printf("\n");
}

void print_table(const jobs::FinetuneReport& report)
{
    size_t width = report.all.name.size();
    for (const jobs::ClassRow& row : report.classes)
        width = std::max(width, printable(row.name).size());
    std::printf("%-*s %6s %9s %10s %8s%s\n", static_cast<int>(width), "", "files", "held out", "by name", "probe",
                report.all.tuned ? "    tuned" : "");
    for (const jobs::ClassRow& row : report.classes)
        print_row(row, width);
    print_row(report.all, width);
    const jobs::Estimate& right = report.all.tuned.value_or(report.all.probed);
    std::printf("Of %lld files held out, %.0f %% were put into their class (95 %%: %.0f to %.0f).\n",
                static_cast<long long>(report.all.held_out), 100 * right.share, 100 * right.low, 100 * right.high);
    if (report.retention)
        std::printf(
            "General search: %.1f before, %.1f after, over %lld queries (95 %% of the loss: %.1f to %.1f), with %.0f %% of the "
            "new weights.\n",
            report.retention->before, report.retention->after, static_cast<long long>(report.retention->queries),
            report.retention->low, report.retention->high, 100 * report.blend);
    if (report.learned_before)
        std::printf("Nothing was learned again: the new weights are those of before, their share is new.\n");
    for (const auto& [name, files] : report.left_out)
        std::printf("Left out: %s, which has %lld readable files.\n", printable(name).c_str(), static_cast<long long>(files));
    std::printf("Written: %s\n", printable(report.label_set.native()).c_str());
    if (!report.checkpoint.empty())
        std::printf("         %s\nSearch with it: imprint model use %s\n", printable(report.checkpoint.native()).c_str(),
                    printable(report.checkpoint.native()).c_str());
    std::printf("Label with it: imprint label --set %s\n", printable(report.label_set.native()).c_str());
}

/// One line that is rewritten, on a terminal alone.
void show(const jobs::FinetuneProgress& progress)
{
    if (::isatty(STDERR_FILENO) != 1)
        return;
    std::fprintf(stderr, "\r\033[K%s", progress.stage == "done" ? "" : progress.stage.c_str());
    if (progress.of > 0 && progress.stage != "done")
        std::fprintf(stderr, " %lld of %lld", static_cast<long long>(progress.done), static_cast<long long>(progress.of));
    if (progress.loss)
        std::fprintf(stderr, ", loss %.3f", *progress.loss);
    std::fflush(stderr);
}

jobs::FinetuneMode mode_of(const std::string& name)
{
    for (const auto mode : {jobs::FinetuneMode::Probe, jobs::FinetuneMode::Lora, jobs::FinetuneMode::Full})
        if (name == jobs::finetune_mode_name(mode))
            return mode;
    return jobs::FinetuneMode::Auto;
}

}  // namespace

int run(const FinetuneCommand& command, const Session& session)
{
    jobs::Engine engine(session.engine);
    const jobs::FinetuneReport report = jobs::finetune(engine,
                                                       {.folder = command.folder,
                                                        .from_labels = command.from_labels,
                                                        .mode = mode_of(command.mode),
                                                        .out = command.out,
                                                        .blend = command.blend,
                                                        .steps = command.steps,
                                                        .seed = command.seed},
                                                       show, session.cancel);
    if (session.json) {
        print_json(document_of(report));
    } else {
        print_table(report);
        print_failures(report.failed);
    }
    for (const std::string& warning : report.warnings)
        print_problem(warning);
    return report.failed.empty() ? kDone : kDoneWithFailures;
}

}  // namespace imprint::cli
