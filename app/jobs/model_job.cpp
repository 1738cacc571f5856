// SPDX-License-Identifier: Apache-2.0
// Another model for the whole library.
#include "app/jobs/jobs.h"

namespace imprint::jobs {

ModelSwitch use_model(Engine& engine, const std::function<void(const IndexProgress&)>& progress, const CancelToken& cancel,
                      const IndexControl& control)
{
    const auto library = [&] { return index::Library(engine.library_folder(), index::OpenMode::ReadOnly); };
    const std::optional<std::string> before = library().active_space();
    const std::vector<std::filesystem::path> roots = library().roots();
    if (roots.empty() || !before)
        throw Error(ErrorKind::NotFound, engine.library_folder().native(), "nothing is indexed yet", "Index something first");
    ModelSwitch result;
    result.report = index_paths(engine, roots, progress, cancel, control);
    if (!result.report.cancelled)
        result.away = library().missing(*before, engine.encoder().space());
    return result;
}

}  // namespace imprint::jobs
