// SPDX-License-Identifier: Apache-2.0
// Hits and labels on their way to other programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/media/media.h"
#include "index/search.h"

namespace imprint::jobs {

enum class ExportFormat { Csv, JsonLines, Edl, FcpXml, Coco, WebVtt };
/// By name ("csv", "jsonl", "edl", "fcpxml", "coco", "vtt").
std::optional<ExportFormat> export_format(const std::string& name);

/// One moment, or one file where nothing is known of its moments.
struct ExportRow {
    std::filesystem::path path;
    media::Kind kind = media::Kind::Image;
    std::optional<double> start, end;  ///< seconds
    double duration = 0;               ///< of the file, seconds
    int width = 0, height = 0;
    std::string modality;  ///< "picture", "sound" or nothing
    std::optional<float> score;
    std::string band;
    std::vector<std::string> labels;
    int stars = 0;
};

/// A row for every moment of the hits, in the hits' order.
std::vector<ExportRow> export_rows(std::span<const index::FileHit> hits);

struct ExportOptions {
    std::string title = "Imprint";
    int frame_rate = 25;  ///< of time codes, 1 to 120; sources of another rate are cut to the nearest frame
};

/// Writes all rows.
/// Csv: RFC 4180 with a heading, UTF-8; labels in one field, parted by ';'. JsonLines: one object a line, null where there is
/// nothing. Both give the bytes of a path that is not UTF-8 as U+FFFD, and JSON also `path_bytes` in base64.
/// Edl: CMX 3600, cut after cut, with the clip's name and path in comments; Error(LimitExceeded) for more than its 999 events.
/// FcpXml: version 1.8, one project of the same cuts.
/// Rows that are no span of a video are left out of the two; Error(Usage) where nothing is left.
/// Coco: the labels of still images as boxes round the whole image, score included; Error(Usage) without a labelled image.
/// WebVtt: a cue for every labelled span, in time order; Error(Usage) where the spans are not all of one file.
void write_export(std::ostream& out, ExportFormat format, std::span<const ExportRow> rows, const ExportOptions& options = {});

}  // namespace imprint::jobs
