// SPDX-License-Identifier: Apache-2.0
// COCO, WebVTT, and a run of labels as rows.
#include "app/jobs/label_export.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <ostream>

#include "app/jobs/path_json.h"

namespace imprint::jobs {
namespace {

/// "01:02:03.450".
std::string vtt_time(double seconds)
{
    const long long ms = std::llround(seconds * 1000);
    char text[32];
    std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld.%03lld", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
    return text;
}

/// What a cue may hold: no markup, no line break.
std::string vtt_text(const std::string& text)
{
    std::string out;
    for (const char c : valid_text(text)) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c == '\n' || c == '\r' ? ' ' : c;
    }
    return out;
}

}  // namespace

void write_coco(std::ostream& out, std::span<const ExportRow> rows)
{
    Json images = Json::array(), annotations = Json::array(), categories = Json::array();
    std::map<std::string, size_t> image_ids, category_ids;
    for (const ExportRow& row : rows) {
        if (row.kind != media::Kind::Image || row.labels.empty())
            continue;
        const auto [image, new_image] = image_ids.emplace(row.path.native(), image_ids.size() + 1);
        if (new_image) {
            Json item{{"id", image->second}, {"width", row.width}, {"height", row.height}};
            put_path(item, "file_name", row.path);
            images.push_back(std::move(item));
        }
        for (const std::string& label : row.labels) {
            const auto [category, new_category] = category_ids.emplace(label, category_ids.size() + 1);
            if (new_category)
                categories.push_back({{"id", category->second}, {"name", label}, {"supercategory", ""}});
            Json item{{"id", annotations.size() + 1},
                      {"image_id", image->second},
                      {"category_id", category->second},
                      {"bbox", Json::array({0, 0, row.width, row.height})},
                      {"area", int64_t{row.width} * row.height},
                      {"iscrowd", 0}};
            if (row.score)
                item["score"] = *row.score;
            annotations.push_back(std::move(item));
        }
    }
    if (annotations.empty())
        throw Error(ErrorKind::Usage, "coco", "there is no labelled image",
                    "Write spans of video and sound as csv, jsonl or vtt");
    const Json document{{"info", {{"description", "Labels by Imprint"}, {"version", "1.0"}}},
                        {"images", std::move(images)},
                        {"annotations", std::move(annotations)},
                        {"categories", std::move(categories)}};
    out << document.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
}

void write_webvtt(std::ostream& out, std::span<const ExportRow> rows)
{
    std::vector<const ExportRow*> cues;
    for (const ExportRow& row : rows)
        if (row.start && !row.labels.empty())
            cues.push_back(&row);
    if (cues.empty())
        throw Error(ErrorKind::Usage, "vtt", "there is no labelled span", "Write labels of whole files as csv, jsonl or coco");
    if (std::any_of(cues.begin(), cues.end(), [&](const ExportRow* cue) { return cue->path != cues.front()->path; }))
        throw Error(ErrorKind::Usage, "vtt", "the labels are of several files, and cues belong to one",
                    "Name one file with --in");
    std::stable_sort(cues.begin(), cues.end(), [](const ExportRow* a, const ExportRow* b) { return *a->start < *b->start; });
    out << "WEBVTT\n";
    for (const ExportRow* cue : cues) {
        out << '\n' << vtt_time(*cue->start) << " --> " << vtt_time(*cue->end) << '\n';
        for (size_t i = 0; i < cue->labels.size(); ++i)
            out << (i > 0 ? ", " : "") << vtt_text(cue->labels[i]);
        out << '\n';
    }
}

std::vector<ExportRow> export_rows(const LabelRun& run)
{
    std::vector<ExportRow> rows;
    for (const LabelledFile& file : run.files)
        for (const LabelSpan& span : file.spans)
            rows.push_back({.path = file.path,
                            .kind = file.probe.kind,
                            .start = span.moment.start,
                            .end = span.moment.end,
                            .duration = file.probe.duration,
                            .width = file.probe.width,
                            .height = file.probe.height,
                            .modality = modality_name(span.moment.modality),
                            .score = static_cast<float>(span.probability),
                            .band = {},
                            .labels = {run.set.classes[static_cast<size_t>(span.label)].name},
                            .stars = 0});
    return rows;
}

}  // namespace imprint::jobs
