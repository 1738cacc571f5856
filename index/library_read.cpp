// SPDX-License-Identifier: Apache-2.0
// What the catalog tells of files, moments and failures.
#include "index/library_impl.h"

namespace imprint::index {

Counts Library::counts() const
{
    return impl_->catalog.guarded([&] {
        Counts counts;
        auto select = impl_->catalog.use("SELECT state, kind, count(*), sum(moments) FROM files GROUP BY state, kind");
        while (select->executeStep()) {
            const int64_t files = select->getColumn(2).getInt64();
            if (select->getColumn(0).getInt() == 1) {
                counts.failed += files;
                continue;
            }
            counts.files += files;
            counts.moments += select->getColumn(3).getInt64();
            switch (static_cast<media::Kind>(select->getColumn(1).getInt())) {
            case media::Kind::Image: counts.images += files; break;
            case media::Kind::Video: counts.videos += files; break;
            case media::Kind::Audio: counts.sounds += files; break;
            }
        }
        return counts;
    });
}

std::vector<Failure> Library::failures() const
{
    return impl_->catalog.guarded([&] {
        std::vector<Failure> failures;
        auto select = impl_->catalog.use("SELECT path, failures.kind, reason, at FROM failures"
                                         " JOIN files ON files.id = file ORDER BY path");
        while (select->executeStep())
            failures.push_back({path_column(*select, 0), select->getColumn(1).getString(),
                                select->getColumn(2).getString(), select->getColumn(3).getInt64()});
        return failures;
    });
}

std::optional<FileRow> Library::find(const std::filesystem::path& path) const
{
    return impl_->catalog.guarded([&]() -> std::optional<FileRow> {
        static const std::string sql =
            std::string("SELECT ") + kFileColumnList + " FROM files WHERE state = 0 AND path = ?";
        auto select = impl_->catalog.use(sql.c_str());
        bind_path(*select, 1, path);
        if (!select->executeStep())
            return std::nullopt;
        return file_columns(*select);
    });
}

bool Library::names(const std::string& word) const
{
    return impl_->catalog.guarded([&] { return stands_in_a_name(impl_->catalog, word); });
}

std::vector<FileRow> Library::files(int64_t offset, int64_t limit) const
{
    return impl_->catalog.guarded([&] {
        static const std::string sql =
            std::string("SELECT ") + kFileColumnList + " FROM files WHERE state = 0 ORDER BY id LIMIT ? OFFSET ?";
        std::vector<FileRow> rows;
        auto select = impl_->catalog.use(sql.c_str());
        select->bind(1, limit);
        select->bind(2, offset);
        while (select->executeStep())
            rows.push_back(file_columns(*select));
        return rows;
    });
}

std::vector<Moment> Library::moments(int64_t file) const
{
    return impl_->catalog.guarded([&] { return read_moments(impl_->catalog, file); });
}

}  // namespace imprint::index
