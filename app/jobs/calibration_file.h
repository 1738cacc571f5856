// SPDX-License-Identifier: Apache-2.0
// What scores mean under a checkpoint, in a small file beside it. Not in the checkpoint: a vector space is named after the
// checkpoint's bytes, and what a score means can be fitted anew without a single vector changing.
#pragma once

#include <filesystem>
#include <string>

#include "index/reliability.h"

namespace imprint::jobs {

/// `model.calibration.json` beside `model.safetensors`.
std::filesystem::path calibration_file(const std::filesystem::path& checkpoint);

/// What the file beside the checkpoint says of this vector space; the defaults where there is none, or one of another space.
/// Error(Malformed) naming the file.
index::Reliabilities read_calibration(const std::filesystem::path& checkpoint, const std::string& space);

/// Creates or replaces it. `fitted_on`: what it was made from, for people. Error(DiskFull), Error(Permission), … naming it.
void write_calibration(const std::filesystem::path& checkpoint, const std::string& space, const index::Reliabilities& reliability,
                       const std::string& fitted_on);

}  // namespace imprint::jobs
