// SPDX-License-Identifier: Apache-2.0
// Rows, tombstones and exact search over FAISS's flat index.
#include "index/vector_index.h"

#include <faiss/impl/IDSelector.h>
#include <faiss/utils/distances.h>

#include <algorithm>

#include "core/base/error.h"
#include "index/half.h"

namespace imprint::index {
namespace {

void set(std::vector<uint8_t>& bits, int64_t row)
{
    bits[static_cast<size_t>(row >> 3)] |= static_cast<uint8_t>(1u << (row & 7));
}

size_t bytes_for(int64_t rows)
{
    return static_cast<size_t>(rows + 7) / 8;
}

}  // namespace

VectorIndex::VectorIndex(int dim) : dim_(dim)
{
    for (Shelf& shelf : shelves_)
        shelf.rows = faiss::IndexFlatIP(dim + 1);
}

int64_t VectorIndex::size(Modality modality) const
{
    return shelf(modality).rows.ntotal - shelf(modality).dead_count;
}

int64_t VectorIndex::size() const
{
    return size(Modality::Picture) + size(Modality::Sound);
}

void VectorIndex::reserve(Modality modality, int64_t rows)
{
    shelf(modality).rows.codes.reserve(static_cast<size_t>(rows) * shelf(modality).rows.code_size);
    shelf(modality).files.reserve(static_cast<size_t>(rows));
}

void VectorIndex::put(int64_t file, Modality modality, std::span<const uint16_t> half, std::span<const float> stats)
{
    Shelf& shelf = this->shelf(modality);
    const size_t dim = static_cast<size_t>(dim_);
    const size_t count = stats.size() / 2;
    IMPRINT_ASSERT(half.size() == count * dim);
    std::vector<float> rows(count * (dim + 1));
    for (size_t i = 0; i < count; ++i) {
        const std::span<float> row(rows.data() + i * (dim + 1), dim + 1);
        const float mean = stats[2 * i], deviation = stats[2 * i + 1];
        from_half(half.subspan(i * dim, dim), row.first(dim));
        for (float& value : row.first(dim))
            value /= deviation;
        row[dim] = -mean / deviation;
    }
    const bool fresh = shelf.spans.try_emplace(file, Span{shelf.rows.ntotal, static_cast<int64_t>(count)}).second;
    IMPRINT_ASSERT(fresh);
    shelf.rows.add(static_cast<int64_t>(count), rows.data());
    shelf.files.insert(shelf.files.end(), count, file);
    shelf.dead.resize(bytes_for(shelf.rows.ntotal));
}

void VectorIndex::remove(int64_t file)
{
    for (Shelf& shelf : shelves_) {
        const auto found = shelf.spans.find(file);
        if (found == shelf.spans.end())
            continue;
        for (int64_t row = found->second.first; row < found->second.first + found->second.count; ++row)
            set(shelf.dead, row);
        shelf.dead_count += found->second.count;
        shelf.spans.erase(found);
    }
}

void VectorIndex::compact(bool force)
{
    for (Shelf& shelf : shelves_) {
        if (shelf.dead_count == 0 || (!force && shelf.dead_count * 4 < shelf.rows.ntotal))
            continue;
        const faiss::IDSelectorBitmap dead(shelf.dead.size(), shelf.dead.data());
        size_t kept = 0;
        for (size_t row = 0; row < shelf.files.size(); ++row)
            if (!dead.is_member(static_cast<int64_t>(row)))
                shelf.files[kept++] = shelf.files[row];
        shelf.files.resize(kept);
        shelf.rows.remove_ids(dead);
        IMPRINT_ASSERT(shelf.rows.ntotal == static_cast<int64_t>(kept));
        index_spans(shelf);
    }
}

void VectorIndex::index_spans(Shelf& shelf)
{
    shelf.spans.clear();
    for (int64_t row = 0; row < static_cast<int64_t>(shelf.files.size()); ++row)
        ++shelf.spans.try_emplace(shelf.files[static_cast<size_t>(row)], Span{row, 0}).first->second.count;
    shelf.dead.assign(bytes_for(shelf.rows.ntotal), 0);
    shelf.dead_count = 0;
}

bool VectorIndex::restore(Modality modality, faiss::IndexFlatIP&& rows, std::vector<int64_t>&& files)
{
    if (rows.d != dim_ + 1 || rows.ntotal != static_cast<int64_t>(files.size())
        || rows.codes.size() != files.size() * rows.code_size)
        return false;
    Shelf& shelf = this->shelf(modality);
    shelf.rows = std::move(rows);
    shelf.files = std::move(files);
    index_spans(shelf);
    return true;
}

VectorIndex::Selection VectorIndex::select(Modality modality, std::span<const int64_t> files) const
{
    const Shelf& shelf = this->shelf(modality);
    Selection selection;
    selection.bits.resize(bytes_for(shelf.rows.ntotal));
    for (const int64_t file : files) {
        const auto found = shelf.spans.find(file);
        if (found == shelf.spans.end())
            continue;
        for (int64_t row = found->second.first; row < found->second.first + found->second.count; ++row)
            set(selection.bits, row);
        selection.rows += found->second.count;
    }
    return selection;
}

std::vector<VectorIndex::Found> VectorIndex::search(Modality modality, std::span<const float> query, int64_t k,
                                                    const std::optional<Selection>& selection) const
{
    const Shelf& shelf = this->shelf(modality);
    IMPRINT_ASSERT(static_cast<int>(query.size()) == dim_ + 1);
    k = std::min(k, selection ? selection->rows : size(modality));
    if (k <= 0)
        return {};
    const faiss::IDSelectorBitmap dead(shelf.dead.size(), shelf.dead.data());
    const faiss::IDSelectorNot alive(&dead);
    const faiss::IDSelectorBitmap selected(selection ? selection->bits.size() : 0,
                                           selection ? selection->bits.data() : nullptr);
    faiss::SearchParameters parameters;
    if (selection)
        parameters.sel = const_cast<faiss::IDSelectorBitmap*>(&selected);
    else if (shelf.dead_count > 0)
        parameters.sel = const_cast<faiss::IDSelectorNot*>(&alive);
    std::vector<float> scores(static_cast<size_t>(k));
    std::vector<faiss::Index::idx_t> rows(static_cast<size_t>(k));
    shelf.rows.search(1, query.data(), k, scores.data(), rows.data(), parameters.sel ? &parameters : nullptr);
    std::vector<Found> found;
    for (size_t i = 0; i < rows.size() && rows[i] >= 0; ++i)
        found.push_back({shelf.files[static_cast<size_t>(rows[i])], scores[i]});
    return found;
}

std::vector<float> VectorIndex::scores(int64_t file, Modality modality, std::span<const float> query) const
{
    const Shelf& shelf = this->shelf(modality);
    std::vector<float> scores;
    if (const auto found = shelf.spans.find(file); found != shelf.spans.end())
        for (int64_t row = found->second.first; row < found->second.first + found->second.count; ++row)
            scores.push_back(faiss::fvec_inner_product(query.data(), shelf.rows.get_xb() + row * (dim_ + 1), query.size()));
    return scores;
}

}  // namespace imprint::index
