// SPDX-License-Identifier: Apache-2.0
// What people say of files.
#include <algorithm>

#include "index/label_rows.h"
#include "index/library_impl.h"

namespace imprint::index {

void bind_span(SQLite::Statement& statement, int first, const std::optional<double>& start, const std::optional<double>& end)
{
    if (start) {
        statement.bind(first, *start);
        statement.bind(first + 1, *end);
    }
}

void insert_label(const Catalog& catalog, int64_t file, const Label& label)
{
    auto insert = catalog.use("INSERT INTO labels (file, name, start_s, end_s, source) VALUES (?, ?, ?, ?, ?)"
                              " ON CONFLICT (file, name, coalesce(start_s, -1), coalesce(end_s, -1))"
                              " DO UPDATE SET source = min(source, excluded.source)");
    insert->bind(1, file);
    insert->bind(2, label.name);
    bind_span(*insert, 3, label.start, label.end);
    insert->bind(5, label.guessed ? 1 : 0);
    insert->exec();
}

std::vector<FileRow> passing_files(const Catalog& catalog, const char* sql, const Filter& filter)
{
    const std::vector<int64_t> passing = matching_files(catalog, filter);
    std::vector<FileRow> rows;
    auto select = catalog.use(sql);
    while (select->executeStep())
        if (FileRow row = file_columns(*select); std::binary_search(passing.begin(), passing.end(), row.id))
            rows.push_back(std::move(row));
    return rows;
}

int64_t Library::Impl::file_id(const std::filesystem::path& path) const
{
    auto select = catalog.use("SELECT id FROM files WHERE state = 0 AND path = ?");
    bind_path(*select, 1, path);
    if (!select->executeStep())
        throw Error(ErrorKind::NotFound, path.native(), "the library does not hold this file", "Index it first");
    return select->getColumn(0).getInt64();
}

void Library::add_label(const std::filesystem::path& path, const Label& label)
{
    IMPRINT_ASSERT(!label.name.empty() && label.start.has_value() == label.end.has_value());
    impl_->write([&] { insert_label(impl_->catalog, impl_->file_id(path), label); });
}

bool Library::remove_label(const std::filesystem::path& path, const std::string& name)
{
    bool removed = false;
    impl_->write([&] {
        auto erase = impl_->catalog.use("DELETE FROM labels WHERE file = ? AND name = ?");
        erase->bind(1, impl_->file_id(path));
        erase->bind(2, name);
        removed = erase->exec() > 0;
    });
    return removed;
}

std::vector<Label> Library::labels(int64_t file) const
{
    return impl_->catalog.guarded([&] { return read_labels(impl_->catalog, file); });
}

void Library::rate(const std::filesystem::path& path, int stars) { rate(std::vector{Rating{path, stars}}); }

void Library::rate(const std::vector<Rating>& ratings)
{
    impl_->write([&] {
        for (const auto& [path, stars] : ratings) {
            if (stars < 0 || stars > 5)
                throw Error(ErrorKind::Usage, std::to_string(stars), "is no number of stars",
                            "Give 1 to 5, or 0 to take them away");
            auto change = stars == 0 ? impl_->catalog.use("DELETE FROM ratings WHERE file = ?1")
                                     : impl_->catalog.use("INSERT INTO ratings VALUES (?1, ?2)"
                                                          " ON CONFLICT (file) DO UPDATE SET stars = excluded.stars");
            change->bind(1, impl_->file_id(path));
            if (stars > 0)
                change->bind(2, stars);
            change->exec();
        }
    });
}

int Library::rating(int64_t file) const
{
    return impl_->catalog.guarded([&] {
        auto select = impl_->catalog.use("SELECT stars FROM ratings WHERE file = ?");
        select->bind(1, file);
        return select->executeStep() ? select->getColumn(0).getInt() : 0;
    });
}

std::vector<std::pair<int64_t, int>> Library::ratings() const
{
    return impl_->catalog.guarded([&] {
        std::vector<std::pair<int64_t, int>> given;
        auto select = impl_->catalog.use("SELECT file, stars FROM ratings ORDER BY file");
        while (select->executeStep())
            given.emplace_back(select->getColumn(0).getInt64(), select->getColumn(1).getInt());
        return given;
    });
}

std::vector<FileRow> Library::labelled(const Filter& filter) const
{
    return impl_->catalog.read([&] {
        static const std::string sql = std::string("SELECT ") + kFileColumnList
            + " FROM files WHERE state = 0 AND (id IN (SELECT file FROM labels) OR id IN (SELECT file FROM ratings)) ORDER BY "
              "path";
        return passing_files(impl_->catalog, sql.c_str(), filter);
    });
}

std::vector<std::string> Library::label_names() const
{
    return impl_->catalog.guarded([&] {
        std::vector<std::string> names;
        auto select = impl_->catalog.use("SELECT DISTINCT name FROM labels ORDER BY name");
        while (select->executeStep())
            names.push_back(select->getColumn(0).getString());
        return names;
    });
}

std::vector<int64_t> Library::matching(const Filter& filter) const
{
    return impl_->catalog.read([&] { return matching_files(impl_->catalog, filter); });
}

std::vector<Label> read_labels(const Catalog& catalog, int64_t file)
{
    std::vector<Label> labels;
    auto select = catalog.use("SELECT name, start_s, end_s, source FROM labels WHERE file = ?"
                              " ORDER BY coalesce(start_s, -1), name, end_s");
    select->bind(1, file);
    while (select->executeStep()) {
        Label label{select->getColumn(0).getString(), {}, {}, select->getColumn(3).getInt() != 0};
        if (!select->getColumn(1).isNull()) {
            label.start = select->getColumn(1).getDouble();
            label.end = select->getColumn(2).getDouble();
        }
        labels.push_back(std::move(label));
    }
    return labels;
}

}  // namespace imprint::index
