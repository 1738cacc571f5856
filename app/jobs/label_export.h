// SPDX-License-Identifier: Apache-2.0
// Labels as COCO annotations and as WebVTT cues.
#pragma once

#include "app/jobs/export.h"
#include "app/jobs/label_job.h"

namespace imprint::jobs {

/// See write_export(). Categories are numbered from 1 in the order in which they appear; ids of images and annotations too.
void write_coco(std::ostream& out, std::span<const ExportRow> rows);
void write_webvtt(std::ostream& out, std::span<const ExportRow> rows);

/// A row for every span of the run; its score is the probability.
std::vector<ExportRow> export_rows(const LabelRun& run);

}  // namespace imprint::jobs
