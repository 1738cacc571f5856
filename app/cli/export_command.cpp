// SPDX-License-Identifier: Apache-2.0
// `imprint export`.
#include <cstdio>
#include <set>
#include <sstream>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/jobs/clip.h"
#include "app/jobs/export.h"

namespace imprint::cli {
namespace {

/// All files that someone labelled or gave stars, that pass the question's filters.
std::vector<index::FileHit> labelled(const jobs::Engine& engine, const jobs::SearchRequest& request)
{
    const index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
    std::vector<index::FileHit> hits;
    for (const index::FileRow& row : library.labelled(request.filter)) {
        index::FileHit hit;
        hit.path = row.facts.path;
        hit.probe = row.probe;
        hit.labels = library.labels(row.id);
        hit.stars = library.rating(row.id);
        hits.push_back(std::move(hit));
    }
    return hits;
}

/// A row for the file's own labels, and one for every labelled span of it.
std::vector<jobs::ExportRow> label_rows(const std::vector<index::FileHit>& files)
{
    std::vector<jobs::ExportRow> rows;
    for (const index::FileHit& file : files) {
        jobs::ExportRow whole{.path = file.path,
                              .kind = file.probe.kind,
                              .start = {},
                              .end = {},
                              .duration = file.probe.duration,
                              .width = file.probe.width,
                              .height = file.probe.height,
                              .modality = {},
                              .score = {},
                              .band = {},
                              .labels = {},
                              .stars = file.stars};
        std::vector<jobs::ExportRow> spans;
        for (const index::Label& label : file.labels) {
            if (!label.start) {
                whole.labels.push_back(label.name);
            } else if (!spans.empty() && spans.back().start == label.start && spans.back().end == label.end) {
                spans.back().labels.push_back(label.name);
            } else {
                spans.push_back(whole);
                spans.back().labels = {label.name};
                spans.back().start = label.start;
                spans.back().end = label.end;
            }
        }
        if (!whole.labels.empty() || spans.empty())
            rows.push_back(whole);
        rows.insert(rows.end(), spans.begin(), spans.end());
    }
    return rows;
}

/// The vectors of the rows' moments, and beside them the rows: line n of the one says what row n of the other is.
void write_vectors(const std::filesystem::path& out, const std::vector<jobs::ExportRow>& rows, index::Searcher& searcher)
{
    if (out.empty())
        throw Error(ErrorKind::Usage, "--out", "a NumPy file needs a name");
    Vectors vectors;
    for (const jobs::ExportRow& row : rows) {
        const index::Searcher::Stored stored = searcher.stored(row.path, row.start, row.end);
        for (size_t i = 0; i < stored.moments.size(); ++i) {
            const index::Moment& moment = stored.moments[i];
            if (moment.start == row.start && moment.end == row.end && row.modality == modality_name(moment.modality)) {
                vectors.dim = stored.vectors.dim;
                vectors.append(stored.vectors.row(static_cast<int>(i)));
                break;
            }
        }
    }
    if (vectors.count() != static_cast<int>(rows.size()))
        throw Error(ErrorKind::Unsupported, out.native(), "some of these rows are no moments of their own and have no vector",
                    "Export what a search finds, without --then");
    write_npy(out, vectors);
    std::ostringstream ids;
    jobs::write_export(ids, jobs::ExportFormat::JsonLines, rows);
    write_text(std::filesystem::path(out).replace_extension(".ids.jsonl"), ids.str());
}

/// Cuts every span once, though picture and sound may both have found it; what has no span is no clip.
int write_clips(const ExportCommand& command, const std::vector<jobs::ExportRow>& rows, jobs::Engine& engine,
                const Session& session)
{
    std::set<std::tuple<std::string, double, double>> seen;
    std::vector<index::Failure> failures;
    Json clips = Json::array();
    for (const jobs::ExportRow& row : rows) {
        if (!row.start || !row.end || *row.end <= *row.start || !seen.emplace(row.path.native(), *row.start, *row.end).second)
            continue;
        try {
            const auto target = command.clips / jobs::clip_name(row.path, *row.start, *row.end);
            const auto clip = jobs::save_clip(engine.decoder(), row.path, *row.start, *row.end, target, session.cancel);
            Json item;
            put_path(item, "clip", clip);
            put_path(item, "path", row.path);
            item["start"] = *row.start;
            item["end"] = *row.end;
            clips.push_back(std::move(item));
            if (!session.json)
                std::printf("%s\n", printable(clip.native()).c_str());
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::Cancelled)
                throw;
            failures.push_back(
                {.path = error.subject(), .kind = error_kind_name(error.kind()), .reason = error.reason(), .at = 0});
        }
    }
    if (seen.empty())
        throw Error(ErrorKind::Usage, "--clips", "there is no span of a video or sound to cut out",
                    "Search with --kind video,audio");
    if (session.json)
        print_json({{"clips", clips}, {"failed", failures_json(failures)}});
    else  // standard output lists clips only
        for (const index::Failure& failure : failures)
            print_problem(failure.path.native() + ": " + failure.reason);
    return failures.empty() ? kDone : kDoneWithFailures;
}

}  // namespace

std::string format_of(const std::filesystem::path& out, const std::string& named)
{
    if (!named.empty())
        return named;
    std::string ending = out.extension().native();
    if (!ending.empty())
        ending.erase(0, 1);
    if (ending == "npy" || jobs::export_format(ending))
        return ending;
    if (ending == "json")
        return "coco";
    if (out.empty())
        return "csv";
    throw Error(ErrorKind::Usage, out.native(), "its name does not say which format is wanted",
                "Name one with --format: csv, jsonl, npy, edl, fcpxml, coco or vtt");
}

int run(const ExportCommand& command, const Session& session)
{
    if (!command.clips.empty() && (!command.out.empty() || !command.format.empty()))
        throw Error(ErrorKind::Usage, "--clips", "clips are files of their own and go into no list",
                    "Leave --out and --format out, or ask for the list by itself");
    const std::string format = format_of(command.out, command.format);
    const jobs::SearchRequest request = request_of(command.question);
    jobs::Engine engine(session.engine);
    index::Searcher searcher(engine.library_folder(), {.build = false});
    std::vector<jobs::ExportRow> rows;
    if (request.parts.empty()) {
        rows = label_rows(labelled(engine, request));
    } else {
        const jobs::SearchResult result = jobs::search(engine, searcher, request, session.cancel);
        tell_respellings(result);
        rows = jobs::export_rows(result.files);
    }
    if (!command.clips.empty())
        return write_clips(command, rows, engine, session);
    if (format == "npy") {
        write_vectors(command.out, rows, searcher);
    } else {
        std::ostringstream text;
        jobs::write_export(text, *jobs::export_format(format), rows, {.frame_rate = command.frame_rate});
        write_text(command.out, text.str());
    }
    if (session.json && !command.out.empty()) {
        Json document{{"format", format}, {"rows", rows.size()}};
        put_path(document, "out", command.out);
        print_json(document);
    }
    return kDone;
}

}  // namespace imprint::cli
