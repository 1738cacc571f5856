// SPDX-License-Identifier: Apache-2.0
// Questions to the catalog whose answer should be empty.
#include "index/findings.h"

#include <sqlite3.h>

#include <cmath>
#include <cstring>

#include "index/checksum.h"
#include "index/half.h"
#include "index/names.h"

namespace imprint::index {
namespace {

using Kind = Finding::Kind;

struct Question {
    Kind kind;
    const char* fault;
    const char* sql;  ///< each row of its answer is a file
};

constexpr Question kQuestions[] = {
    {Kind::Row, "a row that does not match its checksum", "SELECT id FROM files WHERE xxh64 <> " IMPRINT_FILE_CHECKSUM},
    {Kind::Row, "moments missing", "SELECT id FROM files WHERE moments <> (SELECT count(*) FROM moments WHERE file = files.id)"},
    {Kind::Row, "moments out of order",
     "SELECT file FROM moments GROUP BY file HAVING min(ordinal) <> 0 OR max(ordinal) <> count(*) - 1"},
    {Kind::Row, "moments that end before they begin",
     "SELECT file FROM moments WHERE end_s < start_s OR (start_s IS NULL) <> (end_s IS NULL)"},
    {Kind::Row, "a failure that is none", "SELECT file FROM failures JOIN files ON id = file WHERE state = 0"},
    {Kind::Row, "a failed file with contents",
     "SELECT id FROM files WHERE state = 1 AND (moments <> 0 OR EXISTS (SELECT 1 FROM embedded WHERE file = id))"},
    {Kind::Row, "a failed file without its reason",
     "SELECT id FROM files LEFT JOIN failures ON file = id WHERE state = 1 AND file IS NULL"},
    {Kind::Vectors, "vectors of the wrong size",
     "SELECT file FROM vectors JOIN spaces ON spaces.id = space"
     " WHERE length(half) <> 2 * dim * count OR length(stats) <> 8 * count"},
    {Kind::Vectors, "vectors that do not match the moments",
     "SELECT vectors.file FROM vectors WHERE count <> (SELECT count(*) FROM moments"
     " WHERE moments.file = vectors.file AND moments.modality = vectors.modality)"},
    {Kind::Vectors, "vectors that no completed file has",
     "SELECT vectors.file FROM vectors LEFT JOIN embedded ON embedded.file = vectors.file AND embedded.space = vectors.space"
     " WHERE embedded.file IS NULL"},
    {Kind::Vectors, "vectors without a checksum",
     "SELECT file FROM vectors LEFT JOIN checksums ON vectors = id WHERE vectors IS NULL"},
    {Kind::Vectors, "vectors missing",
     "SELECT file FROM embedded JOIN files ON id = file WHERE moments <>"
     " (SELECT coalesce(sum(count), 0) FROM vectors WHERE vectors.file = embedded.file AND vectors.space = embedded.space)"},
};

constexpr const char* kBooks[][2] = {
    {"the library's own row is missing", "SELECT 1 WHERE (SELECT count(*) FROM library) <> 1"},
    {"the library's number is not 16 bytes", "SELECT 1 FROM library WHERE length(id) <> 16"},
    {"files were changed after the last change",
     "SELECT 1 FROM library WHERE revision < (SELECT max(revision) FROM files)"
     " OR revision < (SELECT max(revision) FROM dropped) OR revision < drop_floor"},
    {"a number of a file that went was given again", "SELECT 1 FROM dropped JOIN files ON id = file LIMIT 1"},
};

void look_at_references(const Catalog& catalog, std::vector<Finding>& found)
{
    auto select = catalog.use("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check");
    while (select->executeStep())
        found.push_back({Kind::Reference,
                         "dangling reference: " + select->getColumn(0).getString() + " row " + select->getColumn(1).getString()
                             + " to " + select->getColumn(2).getString()});
}

std::span<const std::byte> bytes_of(const SQLite::Column& column)
{
    return {static_cast<const std::byte*>(column.getBlob()), static_cast<size_t>(column.getBytes())};
}

/// The first thing that is wrong with one row of vectors, or nothing.
const char* fault_of(int64_t count, int64_t dim, std::span<const std::byte> half, std::span<const std::byte> stats)
{
    if (static_cast<int64_t>(half.size()) != 2 * dim * count || static_cast<int64_t>(stats.size()) != 8 * count)
        return nullptr;  // told by its size
    std::vector<uint16_t> row(static_cast<size_t>(dim));
    std::vector<float> values(row.size());
    for (int64_t i = 0; i < count; ++i) {
        std::memcpy(row.data(), half.data() + 2 * dim * i, row.size() * 2);
        from_half(row, values);
        double squares = 0;
        for (const float value : values)
            squares += static_cast<double>(value) * value;
        if (!(std::abs(squares - 1) < 2e-2))
            return "vectors that are not of length 1";
        float mean_and_deviation[2];
        std::memcpy(mean_and_deviation, stats.data() + 8 * i, 8);
        if (!std::isfinite(mean_and_deviation[0]) || !(mean_and_deviation[1] > 0) || !std::isfinite(mean_and_deviation[1]))
            return "vectors without a background";
    }
    return nullptr;
}

void look_at_vectors(const Catalog& catalog, const CancelToken& cancel, std::vector<Finding>& found)
{
    // In steps: one long read would keep the write-ahead log from shrinking.
    int64_t last = 0;
    for (bool more = true; more;) {
        cancel.check();
        more = false;
        catalog.read([&] {
            auto select =
                catalog.use("SELECT vectors.id, file, count, dim, half, stats, xxh64 = " IMPRINT_VECTORS_CHECKSUM " FROM vectors"
                            " JOIN spaces ON spaces.id = space LEFT JOIN checksums ON vectors = vectors.id"
                            " WHERE vectors.id > ? ORDER BY vectors.id LIMIT 256");
            for (select->bind(1, last); select->executeStep(); more = true) {
                last = select->getColumn(0).getInt64();
                const int64_t file = select->getColumn(1).getInt64();
                const SQLite::Column half = select->getColumn(4), stats = select->getColumn(5), same = select->getColumn(6);
                const char* fault = !same.isNull() && same.getInt() == 0
                    ? "vectors that do not match their checksum"
                    : fault_of(select->getColumn(2).getInt64(), select->getColumn(3).getInt64(), bytes_of(half), bytes_of(stats));
                if (fault)
                    found.push_back({Kind::Vectors, std::string(fault) + ", file " + std::to_string(file), file});
            }
        });
    }
}

}  // namespace

std::vector<Finding> structure_findings(const Catalog& catalog, const CancelToken& cancel)
{
    return catalog.guarded([&] {
        std::vector<Finding> found;
        const auto stop = catalog.stop_on(cancel);
        auto select = catalog.use("PRAGMA integrity_check(20)");
        while (select->executeStep())
            if (const std::string line = select->getColumn(0).getString(); line != "ok")
                found.push_back({Kind::Structure, "structure: " + line});
        return found;
    });
}

std::vector<Finding> content_findings(const Catalog& catalog, const CancelToken& cancel)
{
    return catalog.guarded([&] {
        std::vector<Finding> found;
        const auto stop = catalog.stop_on(cancel);
        look_at_references(catalog, found);
        for (const auto& [text, sql] : kBooks) {
            auto select = catalog.use(sql);
            if (select->executeStep())
                found.push_back({Kind::Books, text});
        }
        for (const Question& question : kQuestions) {
            auto select = catalog.use(question.sql);
            while (select->executeStep()) {
                const int64_t file = select->getColumn(0).getInt64();
                found.push_back({question.kind, std::string(question.fault) + ", file " + std::to_string(file), file});
            }
        }
        look_at_vectors(catalog, cancel, found);
        if (words_differ(catalog))
            found.push_back({Kind::Words, "the table of words is not that of the files' names and labels"});
        return found;
    });
}

}  // namespace imprint::index
