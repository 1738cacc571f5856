// SPDX-License-Identifier: Apache-2.0
// A root that the user says has moved.
#include "app/jobs/jobs.h"
#include "app/jobs/scan.h"
#include "app/jobs/volumes.h"

namespace imprint::jobs {
namespace fs = std::filesystem;

index::Relinked relink(const Engine& engine, const fs::path& from, const fs::path& to)
{
    const fs::path before = catalog_path(from), now = catalog_path(to);
    std::error_code failure;
    if (!fs::exists(now, failure))
        throw Error(ErrorKind::NotFound, now.native(), "does not exist", "Name the place where the files are now");
    if (before == now || !before.has_relative_path() || !now.has_relative_path())
        throw Error(ErrorKind::Usage, before.native(), "cannot be relinked to " + now.native(), "Name two different folders");
    index::Library library(engine.library_folder(), index::OpenMode::ReadWrite);
    const index::Relinked relinked = library.relink(before, now);
    if (relinked.files == 0 && relinked.roots == 0)
        throw Error(ErrorKind::NotFound, before.native(), "the library knows nothing there", "Name a folder that was indexed");
    const Volumes volumes;
    bool covered = false;
    for (const index::Root& root : library.root_places()) {
        covered |= is_below(now, root.path);
        if (is_below(root.path, now))
            library.set_place(root.path, volumes.place_of(root.path));
    }
    if (!covered) {
        library.add_root(now);
        library.set_place(now, volumes.place_of(now));
    }
    return relinked;
}

}  // namespace imprint::jobs
