// SPDX-License-Identifier: Apache-2.0
// Conditions on files as one SQL statement.
#include "index/filter.h"

#include <algorithm>
#include <string>

#include "index/catalog.h"
#include "index/paths.h"

namespace imprint::index {

std::vector<Modality> wanted_modalities(const Filter& filter)
{
    std::vector<Modality> wanted;
    for (const Modality modality : {Modality::Picture, Modality::Sound})
        if (filter.modalities.empty()
            || std::find(filter.modalities.begin(), filter.modalities.end(), modality) != filter.modalities.end())
            wanted.push_back(modality);
    return wanted;
}

bool filters_files(const Filter& filter)
{
    return !filter.kinds.empty() || !filter.folders.empty() || filter.after || filter.before || filter.longer || filter.shorter
        || !filter.labels.empty() || filter.stars > 0;
}

std::vector<int64_t> matching_files(const Catalog& catalog, const Filter& filter)
{
    std::string sql = "SELECT id FROM files WHERE state = 0";
    if (!filter.kinds.empty()) {
        sql += " AND kind IN (-1";
        for (const media::Kind kind : filter.kinds)
            sql += "," + std::to_string(static_cast<int>(kind));
        sql += ")";
    }
    if (!filter.folders.empty()) {
        sql += " AND (0";
        for (size_t i = 0; i < filter.folders.size(); ++i)
            sql += " OR path = ? OR (path >= ? AND path < ?)";
        sql += ")";
    }
    if (filter.after)
        sql += " AND coalesce(taken_at, mtime_ns / 1000000000) >= " + std::to_string(*filter.after);
    if (filter.before)
        sql += " AND coalesce(taken_at, mtime_ns / 1000000000) <= " + std::to_string(*filter.before);
    if (filter.longer)
        sql += " AND duration >= ?";
    if (filter.shorter)
        sql += " AND duration <= ?";
    for (size_t i = 0; i < filter.labels.size(); ++i)
        sql += " AND EXISTS (SELECT 1 FROM labels WHERE file = files.id AND name = ?)";
    if (filter.stars > 0)
        sql += " AND EXISTS (SELECT 1 FROM ratings WHERE file = files.id AND stars >= " + std::to_string(filter.stars) + ")";
    sql += " ORDER BY id";
    return catalog.dynamic(sql, [&](SQLite::Statement& select) {
        int parameter = 0;
        for (const std::filesystem::path& folder : filter.folders) {
            const PathRange range(folder);
            for (const std::string& bytes : {range.self, range.first, range.last})
                bind_path(select, ++parameter, bytes);
        }
        for (const std::optional<double>& seconds : {filter.longer, filter.shorter})
            if (seconds)
                select.bind(++parameter, *seconds);
        for (const std::string& label : filter.labels)
            select.bind(++parameter, label);
        std::vector<int64_t> files;
        while (select.executeStep())
            files.push_back(select.getColumn(0).getInt64());
        return files;
    });
}

}  // namespace imprint::index
