// SPDX-License-Identifier: Apache-2.0
// Hits as rows, rows as tables.
#include "app/jobs/export.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "app/jobs/cut_list.h"
#include "app/jobs/label_export.h"
#include "app/jobs/path_json.h"

namespace imprint::jobs {
namespace {

/// Enough digits to come back as the same number.
std::string decimal(double value) { return Json(value).dump(); }

/// RFC 4180: quoted where it must be, quotes doubled.
std::string field(const std::string& text)
{
    if (text.find_first_of(",\"\r\n") == std::string::npos)
        return text;
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

std::string joined(const std::vector<std::string>& labels)
{
    std::string text;
    for (const std::string& label : labels)
        text += (text.empty() ? "" : ";") + label;
    return text;
}

void write_csv(std::ostream& out, std::span<const ExportRow> rows)
{
    out << "path,kind,start,end,modality,score,band,labels,stars\r\n";
    for (const ExportRow& row : rows)
        out << field(valid_text(row.path.native())) << ',' << media::kind_name(row.kind) << ','
            << (row.start ? decimal(*row.start) : "") << ',' << (row.end ? decimal(*row.end) : "") << ',' << row.modality << ','
            << (row.score ? decimal(static_cast<double>(*row.score)) : "") << ',' << row.band << ','
            << field(valid_text(joined(row.labels))) << ',' << row.stars << "\r\n";
}

void write_json_lines(std::ostream& out, std::span<const ExportRow> rows)
{
    for (const ExportRow& row : rows) {
        Json item;
        put_path(item, "path", row.path);
        item["kind"] = media::kind_name(row.kind);
        item["start"] = row.start ? Json(*row.start) : Json();
        item["end"] = row.end ? Json(*row.end) : Json();
        item["modality"] = row.modality.empty() ? Json() : Json(row.modality);
        item["score"] = row.score ? Json(*row.score) : Json();
        item["band"] = row.band.empty() ? Json() : Json(row.band);
        item["labels"] = row.labels;
        item["stars"] = row.stars;
        out << item.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    }
}

}  // namespace

std::optional<ExportFormat> export_format(const std::string& name)
{
    static constexpr std::pair<const char*, ExportFormat> kNames[] = {{"csv", ExportFormat::Csv},
                                                                      {"jsonl", ExportFormat::JsonLines},
                                                                      {"edl", ExportFormat::Edl},
                                                                      {"fcpxml", ExportFormat::FcpXml},
                                                                      {"coco", ExportFormat::Coco},
                                                                      {"vtt", ExportFormat::WebVtt}};
    for (const auto& [known, format] : kNames)
        if (name == known)
            return format;
    return std::nullopt;
}

std::vector<ExportRow> export_rows(std::span<const index::FileHit> hits)
{
    std::vector<ExportRow> rows;
    for (const index::FileHit& hit : hits) {
        ExportRow row{.path = hit.path,
                      .kind = hit.probe.kind,
                      .start = {},
                      .end = {},
                      .duration = hit.probe.duration,
                      .width = hit.probe.width,
                      .height = hit.probe.height,
                      .modality = {},
                      .score = {},
                      .band = {},
                      .labels = {},
                      .stars = hit.stars};
        for (const index::MomentHit& moment : hit.moments) {
            row.start = moment.moment.start;
            row.end = moment.moment.end;
            row.modality = modality_name(moment.moment.modality);
            row.score = moment.score;
            row.band = index::band_name(moment.band);
            row.labels.clear();
            for (const index::Label& label : hit.labels)  // those of the whole, and those that are said of this moment
                if (!label.start || !row.start || (*label.start<*row.end&& * label.end> * row.start))
                    row.labels.push_back(label.name);
            rows.push_back(row);
        }
    }
    return rows;
}

void write_export(std::ostream& out, ExportFormat format, std::span<const ExportRow> rows, const ExportOptions& options)
{
    switch (format) {
    case ExportFormat::Csv:
        write_csv(out, rows);
        break;
    case ExportFormat::JsonLines:
        write_json_lines(out, rows);
        break;
    case ExportFormat::Edl:
        write_edl(out, rows, options);
        break;
    case ExportFormat::FcpXml:
        write_fcpxml(out, rows, options);
        break;
    case ExportFormat::Coco:
        write_coco(out, rows);
        break;
    case ExportFormat::WebVtt:
        write_webvtt(out, rows);
        break;
    }
}

}  // namespace imprint::jobs
