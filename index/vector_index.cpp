// SPDX-License-Identifier: Apache-2.0
// Rows and tombstones in FAISS's flat index, and an exact scan over them.
#include "index/vector_index.h"

#include <faiss/impl/IDSelector.h>

#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "index/half.h"

// The distribution's FAISS is built without vector instructions and scans one query in a scalar loop; the BLAS it comes
// with reads the same rows several times as fast.
extern "C" void sgemv_(const char* transposed, const int* rows, const int* columns, const float* alpha, const float* a,
                       const int* a_step, const float* x, const int* x_step, const float* beta, float* y,
                       const int* y_step);

namespace imprint::index {
namespace {

bool is_set(const std::vector<uint8_t>& bits, int64_t row)
{
    return bits[static_cast<size_t>(row >> 3)] >> (row & 7) & 1;
}

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

template <typename F>
void VectorIndex::scan(const Shelf& shelf, std::span<const float> query, const std::optional<Selection>& selection, F&& f)
{
    constexpr int64_t kBlock = 4096;
    const int64_t all = shelf.rows.ntotal;
    // A product that skips rows one by one costs more than it saves unless most are skipped.
    const bool skip = selection && selection->rows < all / 4;
    std::vector<float> scores(kBlock);
    const int width = static_cast<int>(query.size()), step = 1;
    const float one = 1, zero = 0;
    for (int64_t first = 0, end = 0; first < all; first = end) {
        if (skip) {
            while (first < all && !is_set(selection->bits, first))
                ++first;
            for (end = first; end < std::min(all, first + kBlock) && is_set(selection->bits, end);)
                ++end;
        } else {
            end = std::min(all, first + kBlock);
        }
        const int count = static_cast<int>(end - first);
        if (count > 0)
            sgemv_("T", &width, &count, &one, shelf.rows.get_xb() + first * width, &width, query.data(), &step, &zero,
                   scores.data(), &step);
        f(first, std::span<const float>(scores.data(), static_cast<size_t>(count)));
    }
}

std::vector<VectorIndex::Found> VectorIndex::search(Modality modality, std::span<const float> query, int64_t k,
                                                    const std::optional<Selection>& selection) const
{
    const Shelf& shelf = this->shelf(modality);
    IMPRINT_ASSERT(static_cast<int>(query.size()) == dim_ + 1);
    std::vector<Found> found;
    scan(shelf, query, selection, [&](int64_t first, std::span<const float> scores) {
        for (size_t i = 0; i < scores.size(); ++i) {
            const int64_t row = first + static_cast<int64_t>(i), file = shelf.files[static_cast<size_t>(row)];
            if (is_set(shelf.dead, row) || (selection && !is_set(selection->bits, row)))
                continue;
            if (found.empty() || found.back().file != file)  // a file's rows stand together
                found.push_back({file, scores[i]});
            else
                found.back().score = std::max(found.back().score, scores[i]);
        }
    });
    if (k < static_cast<int64_t>(found.size())) {
        std::nth_element(found.begin(), found.begin() + k, found.end(), [](const Found& a, const Found& b) {
            return a.score != b.score ? a.score > b.score : a.file < b.file;
        });
        found.resize(static_cast<size_t>(k));
    }
    return found;
}

std::vector<float> VectorIndex::scores(int64_t file, Modality modality, std::span<const float> query) const
{
    const Shelf& shelf = this->shelf(modality);
    std::vector<float> scores;
    const auto found = shelf.spans.find(file);
    if (found == shelf.spans.end())
        return scores;
    const float* row = shelf.rows.get_xb() + found->second.first * (dim_ + 1);
    for (int64_t i = 0; i < found->second.count; ++i, row += dim_ + 1)
        scores.push_back(static_cast<float>(std::inner_product(query.begin(), query.end(), row, 0.0)));
    return scores;
}

}  // namespace imprint::index
