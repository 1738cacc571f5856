// SPDX-License-Identifier: Apache-2.0
// The same three places that the shipped model is looked for in.
#include "app/jobs/resources.h"

#include "core/base/error.h"

namespace imprint::jobs {

std::filesystem::path resource_folder(const std::string& name)
{
    namespace fs = std::filesystem;
    std::error_code failure;
    const fs::path program = fs::read_symlink("/proc/self/exe", failure).parent_path();
    for (const fs::path& place :
         {program / "../../../resources" / name, program / "../share/imprint" / name, fs::path(IMPRINT_SOURCE_RESOURCES) / name})
        if (fs::is_directory(place, failure))
            return place.lexically_normal();
    throw Error(ErrorKind::NotFound, name, "this folder, which comes with the program, was not found", "Install Imprint anew");
}

}  // namespace imprint::jobs
