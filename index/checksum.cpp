// SPDX-License-Identifier: Apache-2.0
// XXH64 over SQL values.
#include "index/checksum.h"

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>
#include <xxhash.h>

#include <bit>
#include <memory>

namespace imprint::index {
namespace {

struct FreeHash {
    void operator()(XXH64_state_t* state) const { XXH64_freeState(state); }
};

void add(XXH64_state_t* state, sqlite3_value* value)
{
    const int type = sqlite3_value_type(value);
    XXH64_update(state, &type, sizeof type);
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
        const int64_t bits =
            type == SQLITE_INTEGER ? sqlite3_value_int64(value) : std::bit_cast<int64_t>(sqlite3_value_double(value));
        XXH64_update(state, &bits, sizeof bits);
    } else if (type != SQLITE_NULL) {
        const void* data = sqlite3_value_blob(value);  // asked for before the size, as SQLite wants it
        const int64_t size = sqlite3_value_bytes(value);
        XXH64_update(state, &size, sizeof size);
        if (size > 0)
            XXH64_update(state, data, static_cast<size_t>(size));
    }
}

void row_checksum(sqlite3_context* context, int count, sqlite3_value** values)
{
    const std::unique_ptr<XXH64_state_t, FreeHash> state(XXH64_createState());
    if (!state)
        return sqlite3_result_error_nomem(context);
    XXH64_reset(state.get(), 0);
    for (int i = 0; i < count; ++i)
        add(state.get(), values[i]);
    sqlite3_result_int64(context, std::bit_cast<int64_t>(XXH64_digest(state.get())));
}

}  // namespace

void add_checksum_function(SQLite::Database& database)
{
    database.createFunction("row_checksum", -1, true, nullptr, row_checksum);
}

}  // namespace imprint::index
