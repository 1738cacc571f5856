// SPDX-License-Identifier: Apache-2.0
// Where the files that come with the program are.
#pragma once

#include <filesystem>

namespace imprint::jobs {

/// The shipped folder of this name ("labels", "prompts"): beside the program, in its installed data folder, or in the source
/// tree. Error(NotFound) where there is none.
std::filesystem::path resource_folder(const std::string& name);

}  // namespace imprint::jobs
