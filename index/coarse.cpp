// SPDX-License-Identifier: Apache-2.0
// FAISS finds the centres and tells which one is nearest: both are matrix products.
#include "index/coarse.h"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

extern "C" void sgemv_(const char* transposed, const int* rows, const int* columns, const float* alpha, const float* a,
                       const int* a_step, const float* x, const int* x_step, const float* beta, float* y, const int* y_step);

namespace imprint::index {
namespace {

constexpr int64_t kChunk = 4096;
constexpr int kBest = 10;

/// This thread computes alone: a build in the background leaves the other processors to who is waiting.
class Alone {
public:
    Alone() : threads_(omp_get_max_threads()) { omp_set_num_threads(1); }
    ~Alone() { omp_set_num_threads(threads_); }

private:
    int threads_;
};

std::vector<float> standardised(const HalfRows& rows, int64_t first, int64_t count, int64_t step = 1)
{
    const auto width = static_cast<size_t>(rows.dim()) + 1;
    std::vector<float> values(static_cast<size_t>(count) * width);
    for (int64_t i = 0; i < count; ++i)
        rows.standardised(first + i * step, std::span(values).subspan(static_cast<size_t>(i) * width, width));
    return values;
}

/// The nearest centre of each row from `first` up. False when told to stop.
bool assign(const HalfRows& rows, int64_t first, int64_t last, const faiss::IndexFlatL2& centres, std::vector<int32_t>& list_of,
            const std::function<bool()>& stop)
{
    std::vector<float> distances(kChunk);
    std::vector<faiss::Index::idx_t> labels(kChunk);
    for (int64_t count = 0; first < last; first += count) {
        if (stop())
            return false;
        count = std::min(kChunk, last - first);
        centres.search(count, standardised(rows, first, count).data(), 1, distances.data(), labels.data());
        list_of.insert(list_of.end(), labels.begin(), labels.begin() + count);
    }
    return true;
}

/// The ten best rows, exactly.
std::vector<int64_t> best_rows(const HalfRows& rows, int64_t count, std::span<const float> query)
{
    std::vector<std::pair<float, int64_t>> best;
    rows.scan(query, 0, count, [&](int64_t first, std::span<const float> scores) {
        for (size_t i = 0; i < scores.size(); ++i)
            if (best.size() < kBest || scores[i] > best.back().first) {
                const std::pair<float, int64_t> found{scores[i], first + static_cast<int64_t>(i)};
                best.insert(std::upper_bound(best.begin(), best.end(), found, std::greater<>()), found);
                best.resize(std::min<size_t>(best.size(), kBest));
            }
    });
    std::vector<int64_t> numbers;
    for (const auto& [score, row] : best)
        numbers.push_back(row);
    return numbers;
}

}  // namespace

std::unique_ptr<Coarse> Coarse::build(const HalfRows& rows, int64_t count, const std::function<bool()>& stop)
{
    constexpr int kRounds = 6, kSamplesPerList = 24;
    const Alone alone;
    std::unique_ptr<Coarse> coarse(new Coarse(rows.dim()));
    const auto lists = static_cast<size_t>(std::max(1.0, 2 * std::sqrt(static_cast<double>(count))));
    const int64_t samples = std::min<int64_t>(count, static_cast<int64_t>(lists) * kSamplesPerList);
    const std::vector<float> sample = standardised(rows, 0, samples, count / samples);
    const auto width = static_cast<size_t>(rows.dim()) + 1;

    faiss::ClusteringParameters parameters;
    parameters.niter = 1;
    parameters.min_points_per_centroid = 1;
    faiss::Clustering clustering(static_cast<int>(width), static_cast<int>(lists), parameters);
    faiss::IndexFlatL2 centres(static_cast<faiss::Index::idx_t>(width));
    for (int round = 0; round < kRounds; ++round) {  // one at a time, so that it can be stopped
        if (stop())
            return nullptr;
        centres.reset();
        clustering.train(samples, sample.data(), centres);
    }
    coarse->centres_ = clustering.centroids;
    centres.reset();
    centres.add(static_cast<faiss::Index::idx_t>(lists), coarse->centres_.data());
    coarse->list_of_.reserve(static_cast<size_t>(count));
    if (!assign(rows, 0, count, centres, coarse->list_of_, stop))
        return nullptr;
    coarse->lists_.resize(lists);
    coarse->fill_lists();
    coarse->built_from_ = count;
    return coarse;
}

std::unique_ptr<Coarse> Coarse::of_parts(std::vector<float> centres, std::vector<int32_t> list_of, int dim, int probes,
                                         float recall)
{
    const auto width = static_cast<size_t>(dim) + 1;
    const size_t lists = centres.size() / width;
    if (lists == 0 || lists * width != centres.size() || probes < 1 || static_cast<size_t>(probes) > lists
        || !(recall >= 0 && recall <= 1) || std::any_of(list_of.begin(), list_of.end(), [&](int32_t list) {
               return list < 0 || static_cast<size_t>(list) >= lists;
           }))
        return nullptr;
    std::unique_ptr<Coarse> coarse(new Coarse(dim));
    coarse->centres_ = std::move(centres);
    coarse->list_of_ = std::move(list_of);
    coarse->lists_.resize(lists);
    coarse->fill_lists();
    coarse->built_from_ = coarse->size();
    coarse->probes_ = probes;
    coarse->recall_ = recall;
    return coarse;
}

bool Coarse::tune(const HalfRows& rows, const Vectors& queries, const std::function<bool()>& stop)
{
    IMPRINT_ASSERT(queries.dim == dim_ && queries.count() > 0);
    std::vector<std::vector<float>> asked;
    std::vector<std::vector<int64_t>> wanted;
    for (int i = 0; i < queries.count(); ++i) {
        if (stop())
            return false;
        std::vector<float> query(queries.row(i).begin(), queries.row(i).end());
        query.push_back(1);
        wanted.push_back(best_rows(rows, size(), query));
        asked.push_back(std::move(query));
    }
    for (probes_ = std::min(8, lists());; probes_ = std::min(lists(), probes_ + probes_ / 2)) {
        int64_t found = 0, all = 0;
        for (size_t i = 0; i < asked.size(); ++i) {
            if (stop())
                return false;
            const std::vector<int32_t> open = nearest(asked[i], probes_);
            all += static_cast<int64_t>(wanted[i].size());
            for (const int64_t row : wanted[i])
                found += std::count(open.begin(), open.end(), list_of_[static_cast<size_t>(row)]);
        }
        recall_ = static_cast<float>(found) / static_cast<float>(std::max<int64_t>(1, all));
        if (recall_ >= kAim || probes_ == lists())
            return true;
    }
}

void Coarse::catch_up(const HalfRows& rows)
{
    if (rows.size() == size())
        return;
    faiss::IndexFlatL2 centres(dim_ + 1);
    centres.add(lists(), centres_.data());
    const int64_t first = size();
    assign(rows, first, rows.size(), centres, list_of_, [] { return false; });
    for (int64_t row = first; row < size(); ++row)
        lists_[static_cast<size_t>(list_of_[static_cast<size_t>(row)])].push_back(static_cast<int32_t>(row));
}

void Coarse::renumber(std::span<const int64_t> kept)
{
    std::vector<int32_t> list_of;
    list_of.reserve(kept.size());
    for (const int64_t old : kept)
        list_of.push_back(list_of_[static_cast<size_t>(old)]);
    list_of_ = std::move(list_of);
    fill_lists();
}

void Coarse::fill_lists()
{
    for (std::vector<int32_t>& list : lists_)
        list.clear();
    for (size_t row = 0; row < list_of_.size(); ++row)
        lists_[static_cast<size_t>(list_of_[row])].push_back(static_cast<int32_t>(row));
}

std::vector<int32_t> Coarse::nearest(std::span<const float> query, int count) const
{
    const int width = dim_ + 1, count_of = lists(), step = 1;
    const float one = 1, zero = 0;
    std::vector<float> products(static_cast<size_t>(count_of));
    sgemv_("T", &width, &count_of, &one, centres_.data(), &width, query.data(), &step, &zero, products.data(), &step);
    std::vector<std::pair<float, int32_t>> scores;
    for (int32_t list = 0; list < count_of; ++list)
        scores.emplace_back(products[static_cast<size_t>(list)], list);
    std::nth_element(scores.begin(), scores.begin() + count - 1, scores.end(), std::greater<>());
    std::vector<int32_t> nearest;
    for (int i = 0; i < count; ++i)
        nearest.push_back(scores[static_cast<size_t>(i)].second);
    return nearest;
}

}  // namespace imprint::index
