// SPDX-License-Identifier: Apache-2.0
// `imprint label`.
#include <cstdio>
#include <sstream>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/jobs/finetune_job.h"
#include "app/jobs/label_export.h"
#include "app/jobs/label_review.h"

namespace imprint::cli {
namespace {

int list_sets(const Session& session)
{
    Json sets = Json::array();
    std::vector<std::filesystem::path> files = jobs::shipped_label_sets();
    for (std::filesystem::path& file : jobs::learned_label_sets(jobs::Engine(session.engine)))
        files.push_back(std::move(file));
    for (const std::filesystem::path& file : files) {
        const jobs::LabelSet set = jobs::read_label_set(file);
        if (!session.json)
            std::printf("%-14s %s, %zu labels\n", file.stem().c_str(), set.name.c_str(), set.classes.size());
        Json item{{"set", file.stem().native()}, {"name", set.name}, {"labels", set.classes.size()}};
        put_path(item, "path", file);
        sets.push_back(std::move(item));
    }
    if (session.json)
        print_json({{"sets", std::move(sets)}});
    return kDone;
}

Json span_json(const jobs::LabelRun& run, const jobs::LabelSpan& span)
{
    const auto seconds = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
    return {{"start", seconds(span.moment.start)},
            {"end", seconds(span.moment.end)},
            {"modality", modality_name(span.moment.modality)},
            {"label", run.set.classes[static_cast<size_t>(span.label)].name},
            {"probability", span.probability}};
}

Json document_of(const jobs::LabelRun& run, const jobs::LabelTally& tally)
{
    const jobs::ReviewState state = jobs::review_state(run);
    Json document{{"set", run.set.name},
                  {"space", run.space},
                  {"moments", run.moments.size()},
                  {"labelled", tally.decided},
                  {"none", tally.none},
                  {"abstained", tally.abstained},
                  {"wrong_share", tally.wrong_share},
                  {"reviewed", state.reviewed},
                  {"calibrated", state.calibrated},
                  {"accuracy", nullptr}};
    if (state.accuracy)
        document["accuracy"] = {{"share", state.accuracy->share},
                                {"low", state.accuracy->low},
                                {"high", state.accuracy->high},
                                {"sample", state.sample}};
    document["labels"] = Json::array();
    for (size_t i = 0; i < run.set.classes.size(); ++i)
        document["labels"].push_back(
            {{"label", run.set.classes[i].name}, {"moments", tally.moments[i]}, {"files", tally.files[i]}});
    document["files"] = Json::array();
    for (const jobs::LabelledFile& file : run.files) {
        Json item;
        put_path(item, "path", file.path);
        item["kind"] = media::kind_name(file.probe.kind);
        item["labels"] = Json::array();
        for (const jobs::LabelledFile::Whole& whole : file.labels)
            item["labels"].push_back({{"label", run.set.classes[static_cast<size_t>(whole.label)].name},
                                      {"share", whole.share},
                                      {"probability", whole.probability}});
        item["spans"] = Json::array();
        for (const jobs::LabelSpan& span : file.spans)
            item["spans"].push_back(span_json(run, span));
        document["files"].push_back(std::move(item));
    }
    return document;
}

void print_spans(const jobs::LabelRun& run)
{
    for (const jobs::LabelledFile& file : run.files)
        for (const jobs::LabelSpan& span : file.spans)
            std::printf("%-28s %3.0f %%  %s  %s\n", printable(run.set.classes[static_cast<size_t>(span.label)].name).c_str(),
                        100 * span.probability, printable(file.path.native()).c_str(), clock_span(span.moment).c_str());
}

}  // namespace

int run(const LabelCommand& command, const Session& session)
{
    if (command.set.empty())
        return list_sets(session);
    const std::string format = command.out.empty() && command.format.empty() ? "" : format_of(command.out, command.format);
    if (!format.empty() && !jobs::export_format(format))
        throw Error(ErrorKind::Usage, format, "labels cannot be written so", "Use csv, jsonl, coco, vtt, edl or fcpxml");
    jobs::Engine engine(session.engine);
    const jobs::LabelSet set = jobs::read_label_set(jobs::find_label_set(engine, command.set));
    const index::Filter filter = request_of(command.where).filter;
    const jobs::LabelRun run = jobs::label(engine, set, filter, {.confidence = command.confidence}, {}, session.cancel);
    const int64_t kept = command.apply ? jobs::apply_labels(engine, run, session.cancel) : 0;
    if (!format.empty()) {
        std::ostringstream text;
        jobs::write_export(text, *jobs::export_format(format), jobs::export_rows(run));
        write_text(command.out, text.str());
    }
    const jobs::LabelTally tally = jobs::tally(run);
    if (session.json && (format.empty() || !command.out.empty())) {
        Json document = document_of(run, tally);
        document["kept"] = kept;
        print_json(document);
    } else if (format.empty()) {
        print_spans(run);
    }
    std::fprintf(stderr,
                 "%zu moments: %lld labelled, %lld none of them, %lld left open; of the answers about %.0f %% are wrong%s\n",
                 run.moments.size(), static_cast<long long>(tally.decided), static_cast<long long>(tally.none),
                 static_cast<long long>(tally.abstained), 100 * tally.wrong_share,
                 jobs::review_state(run).calibrated ? "" : ", as far as scores alone can tell: 'imprint review' makes it known");
    return kDone;
}

}  // namespace imprint::cli
