// SPDX-License-Identifier: Apache-2.0
// Rows, tombstones, and the two ways to search them.
#include "index/vector_index.h"

#include <omp.h>

#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "index/best_files.h"
#include "index/half.h"

namespace imprint::index {
namespace {

bool is_set(const std::vector<uint8_t>& bits, int64_t row) { return bits[static_cast<size_t>(row >> 3)] >> (row & 7) & 1; }

void set(std::vector<uint8_t>& bits, int64_t row)
{
    bits[static_cast<size_t>(row >> 3)] |= static_cast<uint8_t>(1u << (row & 7));
}

size_t bytes_for(int64_t rows) { return static_cast<size_t>(rows + 7) / 8; }

}  // namespace

VectorIndex::VectorIndex(int dim) : dim_(dim)
{
    shelves_.emplace_back(dim);
    shelves_.emplace_back(dim);
}

int64_t VectorIndex::size(Modality modality) const { return shelf(modality).rows.size() - shelf(modality).dead_count; }

int64_t VectorIndex::size() const { return size(Modality::Picture) + size(Modality::Sound); }

int64_t VectorIndex::bytes() const
{
    constexpr int64_t kPerFile = 48, kPerRow = 8, kPerListed = 8;
    int64_t bytes = 0;
    for (const Shelf& shelf : shelves_) {
        bytes += shelf.rows.bytes() + kPerRow * shelf.rows.size() + kPerFile * static_cast<int64_t>(shelf.spans.size());
        if (shelf.coarse)
            bytes += kPerListed * shelf.coarse->size() + 4 * static_cast<int64_t>(shelf.coarse->centres().size());
    }
    return bytes;
}

void VectorIndex::put(int64_t file, Modality modality, std::span<const uint16_t> half, std::span<const float> stats)
{
    Shelf& shelf = this->shelf(modality);
    const auto count = static_cast<int64_t>(stats.size() / 2);
    const bool fresh = shelf.spans.try_emplace(file, Span{shelf.rows.size(), count}).second;
    IMPRINT_ASSERT(fresh);
    shelf.rows.append(half, stats);
    shelf.files.insert(shelf.files.end(), static_cast<size_t>(count), file);
    shelf.dead.resize(bytes_for(shelf.rows.size()));
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
        if (shelf.coarse)
            shelf.coarse->catch_up(shelf.rows);
        if (shelf.dead_count == 0 || (!force && shelf.dead_count * 4 < shelf.rows.size()))
            continue;
        compact(shelf);
        ++edition_;
    }
}

void VectorIndex::compact(Shelf& shelf)
{
    HalfRows rows(shelf.rows.dim());
    std::vector<int64_t> files, kept;
    for (int64_t row = 0; row < shelf.rows.size(); ++row) {
        if (is_set(shelf.dead, row))
            continue;
        rows.append(shelf.rows.half(row), shelf.rows.stats(row));
        files.push_back(shelf.files[static_cast<size_t>(row)]);
        kept.push_back(row);
    }
    shelf.rows = std::move(rows);
    shelf.files = std::move(files);
    if (shelf.coarse)
        shelf.coarse->renumber(kept);
    index_spans(shelf);
}

void VectorIndex::index_spans(Shelf& shelf)
{
    shelf.spans.clear();
    for (int64_t row = 0; row < static_cast<int64_t>(shelf.files.size()); ++row)
        ++shelf.spans.try_emplace(shelf.files[static_cast<size_t>(row)], Span{row, 0}).first->second.count;
    shelf.dead.assign(bytes_for(shelf.rows.size()), 0);
    shelf.dead_count = 0;
}

void VectorIndex::adopt(Modality modality, std::unique_ptr<Coarse> coarse)
{
    Shelf& shelf = this->shelf(modality);
    IMPRINT_ASSERT(coarse->size() <= shelf.rows.size());
    shelf.coarse = std::move(coarse);
    shelf.coarse->catch_up(shelf.rows);
}

bool VectorIndex::restore(Modality modality, HalfRows&& rows, std::vector<int64_t>&& files, std::unique_ptr<Coarse>&& coarse)
{
    if (rows.dim() != dim_ || rows.size() != static_cast<int64_t>(files.size()) || (coarse && coarse->size() != rows.size()))
        return false;
    Shelf& shelf = this->shelf(modality);
    shelf.rows = std::move(rows);
    shelf.files = std::move(files);
    shelf.coarse = std::move(coarse);
    index_spans(shelf);
    return true;
}

VectorIndex::Selection VectorIndex::select(Modality modality, std::span<const int64_t> files) const
{
    const Shelf& shelf = this->shelf(modality);
    Selection selection;
    selection.bits.resize(bytes_for(shelf.rows.size()));
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

std::vector<VectorIndex::Found> VectorIndex::scan_all(const Shelf& shelf, std::span<const float> query, int64_t k,
                                                      const std::optional<Selection>& selection)
{
    constexpr int64_t kWorthAThread = 20'000;
    const int64_t all = shelf.rows.size();
    // A scan that skips rows one by one costs more than it saves unless most are skipped.
    const bool skip = selection && selection->rows < all / 4;
    const auto threads =
        static_cast<int>(std::clamp<int64_t>((skip ? selection->rows : all) / kWorthAThread, 1, omp_get_max_threads()));
    std::vector<BestFiles> best(static_cast<size_t>(threads), BestFiles(k));
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int part = 0; part < threads; ++part) {
        BestFiles& mine = best[static_cast<size_t>(part)];
        const int64_t first = all * part / threads, last = all * (part + 1) / threads;
        if (skip) {
            for (int64_t row = first; row < last; ++row)
                if (is_set(selection->bits, row) && !is_set(shelf.dead, row))
                    mine.offer(shelf.files[static_cast<size_t>(row)], shelf.rows.score(query, row));
            continue;
        }
        shelf.rows.scan(query, first, last, [&](int64_t from, std::span<const float> scores) {
            for (size_t i = 0; i < scores.size(); ++i) {
                const int64_t row = from + static_cast<int64_t>(i);
                if (!is_set(shelf.dead, row) && (!selection || is_set(selection->bits, row)))
                    mine.offer(shelf.files[static_cast<size_t>(row)], scores[i]);
            }
        });
    }
    for (size_t part = 1; part < best.size(); ++part)  // a file that stands across a border is merged here
        best[0].offer(best[part]);
    return best[0].take();
}

std::vector<VectorIndex::Found> VectorIndex::scan_lists(const Shelf& shelf, std::span<const float> query, int64_t k,
                                                        const std::optional<Selection>& selection)
{
    BestFiles best(k);
    const auto offer = [&](int64_t row, float score) {
        if (!is_set(shelf.dead, row) && (!selection || is_set(selection->bits, row)))
            best.offer(shelf.files[static_cast<size_t>(row)], score);
    };
    shelf.coarse->scan(shelf.rows, query, offer);
    // What came since stands in no list yet.
    shelf.rows.scan(query, shelf.coarse->size(), shelf.rows.size(), [&](int64_t first, std::span<const float> scores) {
        for (size_t i = 0; i < scores.size(); ++i)
            offer(first + static_cast<int64_t>(i), scores[i]);
    });
    return best.take();
}

std::vector<VectorIndex::Found> VectorIndex::search(Modality modality, std::span<const float> query, int64_t k,
                                                    const std::optional<Selection>& selection, bool exact) const
{
    const Shelf& shelf = this->shelf(modality);
    IMPRINT_ASSERT(static_cast<int>(query.size()) == dim_ + 1);
    // Of the rows that an inverted file reaches, the wanted ones must be few: its recall is that of the ten best.
    constexpr int64_t kRowsPerWanted = 50;
    const int64_t rows = shelf.rows.size(), wanted = selection ? selection->rows : rows;
    if (!exact && shelf.coarse && wanted * 4 >= rows && k * kRowsPerWanted <= shelf.coarse->reach()) {
        std::vector<Found> found = scan_lists(shelf, query, k, selection);
        if (static_cast<int64_t>(found.size()) >= k)
            return found;
    }
    return scan_all(shelf, query, k, selection);
}

std::vector<float> VectorIndex::scores(int64_t file, Modality modality, std::span<const float> query) const
{
    const Shelf& shelf = this->shelf(modality);
    std::vector<float> scores;
    const auto found = shelf.spans.find(file);
    if (found == shelf.spans.end())
        return scores;
    for (int64_t row = found->second.first; row < found->second.first + found->second.count; ++row)
        scores.push_back(shelf.rows.exact_score(query, row));
    return scores;
}

std::vector<float> VectorIndex::unit_vectors(int64_t file, Modality modality) const
{
    const Shelf& shelf = this->shelf(modality);
    const auto found = shelf.spans.find(file);
    if (found == shelf.spans.end())
        return {};
    const auto dim = static_cast<size_t>(dim_);
    std::vector<float> vectors(static_cast<size_t>(found->second.count) * dim);
    for (int64_t i = 0; i < found->second.count; ++i) {
        const std::span<float> vector = std::span(vectors).subspan(static_cast<size_t>(i) * dim, dim);
        from_half(shelf.rows.half(found->second.first + i), vector);
        const double length = std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
        for (float& value : vector)
            value = static_cast<float>(value / length);
    }
    return vectors;
}

}  // namespace imprint::index
