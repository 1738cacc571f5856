// SPDX-License-Identifier: Apache-2.0
// Table by table, from both ends.
#include "index/salvage.h"

#include <sqlite3.h>

#include <vector>

namespace imprint::index {
namespace {

struct Table {
    std::string name, columns, places, order[2];
};

std::string quoted(const std::string& name) { return '"' + name + '"'; }

/// The plain tables; the words that files are found by are made anew from these.
std::vector<Table> tables(const Catalog& fresh)
{
    std::vector<Table> tables;
    const auto list = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'";
    fresh.dynamic(list, [&](SQLite::Statement& select) {
        while (select.executeStep())
            tables.push_back({select.getColumn(0).getString(), {}, {}, {}});
    });
    for (Table& table : tables) {
        fresh.dynamic("SELECT name, pk FROM pragma_table_info('" + table.name + "') ORDER BY pk", [&](SQLite::Statement& select) {
            while (select.executeStep()) {
                const std::string column = quoted(select.getColumn(0).getString());
                table.columns += (table.columns.empty() ? "" : ", ") + column;
                table.places += table.places.empty() ? "?" : ", ?";
                if (select.getColumn(1).getInt() == 0)
                    continue;
                for (const int way : {0, 1})
                    table.order[way] += (table.order[way].empty() ? "" : ", ") + column + (way ? " DESC" : "");
            }
        });
        if (table.order[0].empty()) {
            table.order[0] = "rowid";
            table.order[1] = "rowid DESC";
        }
    }
    return tables;
}

void bind_value(SQLite::Statement& insert, int place, const SQLite::Column& value)
{
    if (value.isInteger())
        insert.bind(place, value.getInt64());
    else if (value.isFloat())
        insert.bind(place, value.getDouble());
    else if (value.isText())
        insert.bind(place, value.getString());
    else if (value.isBlob())
        insert.bind(place, value.getBlob(), value.getBytes());
    else
        insert.bind(place);
}

bool damage(const SQLite::Exception& exception)
{
    switch (exception.getErrorCode() & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_IOERR:
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:  // a length that was overwritten
    case SQLITE_ERROR:
        return true;
    default:
        return false;
    }
}

/// True when the walk came to the table's end.
bool walk(const Catalog& damaged, const Table& table, const std::string& order, SQLite::Statement& insert,
          const CancelToken& cancel)
{
    const std::string sql = "SELECT " + table.columns + " FROM " + quoted(table.name) + " ORDER BY " + order;
    std::unique_ptr<SQLite::Exception> refused;
    try {
        damaged.dynamic(sql, [&](SQLite::Statement& select) {
            while (select.executeStep()) {
                cancel.check();
                insert.reset();
                for (int i = 0; i < select.getColumnCount(); ++i)
                    bind_value(insert, i + 1, select.getColumn(i));
                try {
                    insert.exec();
                } catch (const SQLite::Exception& exception) {
                    if ((exception.getErrorCode() & 0xff) == SQLITE_CONSTRAINT)
                        continue;  // a row that this schema does not allow was not stored like that
                    refused = std::make_unique<SQLite::Exception>(exception);
                    return;
                }
            }
        });
    } catch (const SQLite::Exception& exception) {
        if (!damage(exception))
            throw;
        return false;
    }
    if (refused)
        throw *refused;
    return true;
}

void number_anew(const Catalog& damaged, const Catalog& fresh)
{
    fresh.use("INSERT OR IGNORE INTO library VALUES (1, randomblob(16), 0, 0, NULL)")->exec();
    fresh
        .use("UPDATE library SET id = randomblob(16), revision = 1 + max(revision, drop_floor,"
             " (SELECT coalesce(max(revision), 0) FROM files), (SELECT coalesce(max(revision), 0) FROM dropped))")
        ->exec();
    fresh
        .use("UPDATE library SET active_space = (SELECT space FROM embedded GROUP BY space ORDER BY count(*) DESC LIMIT 1)"
             " WHERE active_space IS NULL OR active_space NOT IN (SELECT id FROM spaces)")
        ->exec();
    try {
        damaged.dynamic("SELECT name, seq FROM sqlite_sequence", [&](SQLite::Statement& select) {
            while (select.executeStep()) {
                auto update = fresh.use("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1");
                update->bind(1, select.getColumn(0).getString());
                update->bind(2, select.getColumn(1).getInt64());
                update->exec();
            }
        });
    } catch (const SQLite::Exception& exception) {
        if (!damage(exception))
            throw;  // otherwise the highest number that was seen has to do
    }
}

}  // namespace

void salvage(const Catalog& damaged, const Catalog& fresh, const CancelToken& cancel)
{
    fresh.guarded([&] {
        fresh.use("PRAGMA foreign_keys = OFF")->exec();
        for (const Table& table : tables(fresh)) {
            fresh.write([&] {
                // A new catalog is not quite empty: what its schema put there makes room for what was stored.
                fresh.dynamic("DELETE FROM " + quoted(table.name), [](SQLite::Statement& erase) { erase.exec(); });
                const std::string sql =
                    "INSERT OR IGNORE INTO " + quoted(table.name) + " (" + table.columns + ") VALUES (" + table.places + ")";
                fresh.dynamic(sql, [&](SQLite::Statement& insert) {
                    if (!walk(damaged, table, table.order[0], insert, cancel))
                        walk(damaged, table, table.order[1], insert, cancel);
                });
            });
        }
        fresh.write([&] { number_anew(damaged, fresh); });
        fresh.use("PRAGMA foreign_keys = ON")->exec();
    });
}

}  // namespace imprint::index
