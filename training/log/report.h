// SPDX-License-Identifier: Apache-2.0
// A run as one HTML page: how far it came, its curves, its experts, its recipe. Nothing beside the page is needed to read it.
#pragma once

#include <filesystem>
#include <string>

#include "training/log/run_metrics.h"

namespace imprint::training {

/// The page. Curves per objective first (loss, accuracy), then evaluations, learning rate, speed, the rest by name; expert use
/// where it was logged; the recipe.
std::string report_html(const RunMetrics& metrics);

/// Writes the page of a run to `out` (under a temporary name first). Throws what read_run_metrics throws, and
/// Error(DiskFull, Permission, Io) naming `out`.
void write_report(const std::filesystem::path& run, const std::filesystem::path& out);

}  // namespace imprint::training
