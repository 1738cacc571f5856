// SPDX-License-Identifier: Apache-2.0
// Reading everything once to see whether it is whole.
#include "index/library_impl.h"

namespace imprint::index {

std::vector<std::string> Library::check() const
{
    return impl_->catalog.guarded([&] {
        std::vector<std::string> problems;
        const auto collect = [&](const char* sql, const char* prefix) {
            auto select = impl_->catalog.use(sql);
            while (select->executeStep())
                if (const std::string line = select->getColumn(0).getString(); line != "ok")
                    problems.push_back(prefix + line);
        };
        collect("PRAGMA integrity_check(20)", "structure: ");
        collect("SELECT \"table\" || ' row ' || rowid FROM pragma_foreign_key_check LIMIT 20", "dangling reference: ");
        collect("SELECT file FROM vectors JOIN spaces ON spaces.id = space"
                " WHERE length(half) <> 2 * dim * count OR length(stats) <> 8 * count LIMIT 20",
                "vectors of the wrong size, file ");
        collect("SELECT vectors.file FROM vectors WHERE count <> (SELECT count(*) FROM moments"
                " WHERE moments.file = vectors.file AND moments.modality = vectors.modality) LIMIT 20",
                "vectors that do not match the moments, file ");
        collect("SELECT id FROM files WHERE moments <> (SELECT count(*) FROM moments WHERE file = files.id) LIMIT 20",
                "moments missing, file ");
        collect("SELECT file FROM embedded JOIN files ON id = file WHERE moments <>"
                " (SELECT coalesce(sum(count), 0) FROM vectors WHERE vectors.file = embedded.file"
                " AND vectors.space = embedded.space) LIMIT 20",
                "vectors missing, file ");
        return problems;
    });
}

}  // namespace imprint::index
