// SPDX-License-Identifier: Apache-2.0
// Searches with a name.
#include <cmath>
#include <cstring>

#include "index/library_impl.h"

namespace imprint::index {
namespace {

Concept concept_columns(SQLite::Statement& select)
{
    Concept named{select.getColumn(0).getString(), select.getColumn(1).getString(), select.getColumn(2).getString(), {}};
    const SQLite::Column vector = select.getColumn(3);
    named.vector.resize(static_cast<size_t>(vector.getBytes()) / sizeof(float));
    std::memcpy(named.vector.data(), vector.getBlob(), named.vector.size() * sizeof(float));
    return named;
}

}  // namespace

void Library::put_concept(const Concept& named)
{
    IMPRINT_ASSERT(!named.name.empty() && !named.space.empty() && !named.vector.empty());
    for (const float value : named.vector)
        IMPRINT_ASSERT(std::isfinite(value));
    impl_->write([&] {
        auto insert = impl_->catalog.use("INSERT OR REPLACE INTO concepts VALUES (?, ?, ?, ?)");
        insert->bind(1, named.name);
        insert->bind(2, named.parts);
        insert->bind(3, named.space);
        insert->bind(4, static_cast<const void*>(named.vector.data()), static_cast<int>(named.vector.size() * sizeof(float)));
        insert->exec();
    });
}

std::optional<Concept> Library::find_concept(const std::string& name) const
{
    return impl_->catalog.guarded([&]() -> std::optional<Concept> {
        auto select = impl_->catalog.use("SELECT name, parts, space, vector FROM concepts WHERE name = ?");
        select->bind(1, name);
        if (!select->executeStep())
            return std::nullopt;
        return concept_columns(*select);
    });
}

std::vector<Concept> Library::concepts() const
{
    return impl_->catalog.guarded([&] {
        std::vector<Concept> all;
        auto select = impl_->catalog.use("SELECT name, parts, space, vector FROM concepts ORDER BY name");
        while (select->executeStep())
            all.push_back(concept_columns(*select));
        return all;
    });
}

bool Library::drop_concept(const std::string& name)
{
    bool dropped = false;
    impl_->write([&] {
        auto erase = impl_->catalog.use("DELETE FROM concepts WHERE name = ?");
        erase->bind(1, name);
        dropped = erase->exec() > 0;
    });
    return dropped;
}

}  // namespace imprint::index
