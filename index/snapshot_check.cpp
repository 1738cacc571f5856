// SPDX-License-Identifier: Apache-2.0
// Equal rows give equal scores to the bit, so one made-up query compares all the numbers of a row at once.
#include "index/snapshot_check.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "index/snapshot.h"

namespace imprint::index {
namespace {

struct Space {
    int64_t id = 0;
    Provenance now;
};

std::vector<Space> spaces(const Catalog& catalog)
{
    std::vector<Space> all;
    auto select = catalog.use("SELECT spaces.id, name, dim, library.id, revision FROM spaces, library");
    while (select->executeStep()) {
        Space& space = all.emplace_back();
        space.id = select->getColumn(0).getInt64();
        space.now.space = select->getColumn(1).getString();
        space.now.dim = select->getColumn(2).getInt();
        const SQLite::Column id = select->getColumn(3);
        if (static_cast<size_t>(id.getBytes()) == space.now.library.size())
            std::memcpy(space.now.library.data(), id.getBlob(), space.now.library.size());
        space.now.revision = select->getColumn(4).getInt64();
    }
    return all;
}

int64_t era(const Catalog& catalog, int64_t revision)
{
    auto select = catalog.use("SELECT nonce FROM eras WHERE first_revision <= ? ORDER BY first_revision DESC LIMIT 1");
    select->bind(1, revision);
    return select->executeStep() ? select->getColumn(0).getInt64() : 0;
}

std::vector<float> made_up_query(int dim)
{
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> query(static_cast<size_t>(dim) + 1);
    std::generate(query.begin(), query.end(), [&] { return normal(random); });
    return query;
}

template <typename T>
std::span<const T> blob(const SQLite::Column& column)
{
    return {static_cast<const T*>(column.getBlob()), static_cast<size_t>(column.getBytes()) / sizeof(T)};
}

std::string compare(const Catalog& catalog, const Space& space, const VectorIndex& index, const CancelToken& cancel)
{
    const std::vector<float> query = made_up_query(space.now.dim);
    int64_t rows[2] = {0, 0};
    auto select = catalog.use("SELECT file, modality, half, stats FROM vectors WHERE space = ?");
    for (select->bind(1, space.id); select->executeStep();) {
        cancel.check();
        const int64_t file = select->getColumn(0).getInt64();
        const auto modality = static_cast<Modality>(select->getColumn(1).getInt());
        VectorIndex alone(space.now.dim);
        alone.put(file, modality, blob<uint16_t>(select->getColumn(2)), blob<float>(select->getColumn(3)));
        if (alone.scores(file, modality, query) != index.scores(file, modality, query))
            return "holds other vectors of file " + std::to_string(file) + " than the catalog";
        rows[static_cast<int>(modality)] += alone.size(modality);
    }
    for (const int modality : {0, 1})
        if (index.size(static_cast<Modality>(modality)) != rows[modality])
            return "holds vectors that the catalog does not have";
    return {};
}

std::string fault_of(const Catalog& catalog, const Space& space, const std::filesystem::path& file, const CancelToken& cancel)
{
    Provenance held = space.now;
    const std::unique_ptr<VectorIndex> index = read_snapshot(file, held);
    if (!index)
        return "is damaged, or of another library";
    if (held.revision > space.now.revision || held.era != era(catalog, held.revision))
        return "is of a history that this catalog does not have";
    return held.revision == space.now.revision ? compare(catalog, space, *index, cancel) : std::string();
}

}  // namespace

std::vector<SnapshotState> check_snapshots(const Catalog& catalog, const CancelToken& cancel)
{
    std::vector<SnapshotState> states;
    const std::vector<Space> known = catalog.guarded([&] { return spaces(catalog); });
    std::error_code none;  // no such folder: no snapshots
    for (const auto& entry : std::filesystem::directory_iterator(catalog.folder() / "faiss", none)) {
        const std::filesystem::path& file = entry.path();
        const auto space = std::find_if(known.begin(), known.end(),
                                        [&](const Space& s) { return snapshot_path(catalog.folder(), s.now.space) == file; });
        std::string fault = "belongs to no vector space";
        if (space != known.end())
            fault = catalog.read([&] { return fault_of(catalog, *space, file, cancel); });
        states.push_back({file, fault});
    }
    return states;
}

}  // namespace imprint::index
