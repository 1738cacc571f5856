// SPDX-License-Identifier: Apache-2.0
// Moments of videos as cuts that an editing program opens.
#pragma once

#include <iosfwd>
#include <span>

#include "app/jobs/export.h"

namespace imprint::jobs {

/// See write_export().
void write_edl(std::ostream& out, std::span<const ExportRow> rows, const ExportOptions& options);
void write_fcpxml(std::ostream& out, std::span<const ExportRow> rows, const ExportOptions& options);

}  // namespace imprint::jobs
