// SPDX-License-Identifier: Apache-2.0
// Ranks by counting: a key's place is the number of keys before it, so nothing is sorted.
#include "training/evaluation/retrieval.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "training/evaluation/metrics.h"

namespace imprint::evaluation {
namespace {

std::vector<float> unit_rows(const InstanceVectors& vectors)
{
    std::vector<float> unit = vectors.values;
    const auto dim = static_cast<size_t>(vectors.dim);
    for (size_t begin = 0; begin < unit.size(); begin += dim) {
        double square = 0;
        for (size_t i = 0; i < dim; ++i)
            square += static_cast<double>(unit[begin + i]) * unit[begin + i];
        const auto scale = static_cast<float>(1 / (std::sqrt(square) + 1e-6));
        for (size_t i = 0; i < dim; ++i)
            unit[begin + i] *= scale;
    }
    return unit;
}

float dot(const float* a, const float* b, int dim)
{
    float sum = 0;
    for (int i = 0; i < dim; ++i)
        sum += a[i] * b[i];
    return sum;
}

/// Keys before the one at `own`, of those at `begin`, begin + step, ….
int before(const std::vector<float>& scores, size_t own, size_t begin, size_t step)
{
    int count = 0;
    for (size_t key = begin; key < scores.size(); key += step)
        count += scores[key] > scores[own] || (scores[key] == scores[own] && key < own);
    return count;
}

}  // namespace

std::vector<int> retrieval_ranks(const InstanceVectors& queries, const InstanceVectors& keys, Instances how)
{
    IMPRINT_ASSERT(queries.samples == keys.samples && queries.dim == keys.dim);
    IMPRINT_ASSERT(queries.values.size() == static_cast<size_t>(queries.samples) * queries.instances * queries.dim);
    IMPRINT_ASSERT(keys.values.size() == static_cast<size_t>(keys.samples) * keys.instances * keys.dim);
    const std::vector<float> query = unit_rows(queries), key = unit_rows(keys);
    const auto slots = static_cast<size_t>(keys.instances);
    std::vector<float> scores(static_cast<size_t>(keys.samples) * slots);
    std::vector<int> ranks;
    for (size_t row = 0; row < static_cast<size_t>(queries.samples) * queries.instances; ++row) {
        for (size_t i = 0; i < scores.size(); ++i)
            scores[i] = dot(query.data() + row * queries.dim, key.data() + i * keys.dim, keys.dim);
        const size_t own = row / queries.instances * slots;
        int rank = static_cast<int>(scores.size());
        for (size_t slot = 0; slot < slots; ++slot)
            rank = std::min(
                rank, how == Instances::Boundary ? before(scores, own + slot, 0, 1) : before(scores, own + slot, slot, slots));
        ranks.push_back(rank);
    }
    return ranks;
}

Recalls recalls(std::span<const int> ranks)
{
    Recalls figures;
    if (ranks.empty())
        return figures;
    std::vector<double> from_one;
    for (const int rank : ranks) {
        figures.r1 += rank < 1;
        figures.r5 += rank < 5;
        figures.r10 += rank < 10;
        from_one.push_back(rank + 1);
    }
    for (double* share : {&figures.r1, &figures.r5, &figures.r10})
        *share /= static_cast<double>(ranks.size());
    figures.median_rank = median(from_one);
    return figures;
}

RetrievalFigures retrieval(const InstanceVectors& a, const InstanceVectors& b, Instances how)
{
    return {recalls(retrieval_ranks(a, b, how)), recalls(retrieval_ranks(b, a, how))};
}

InstanceVectors averaged(const InstanceVectors& vectors)
{
    InstanceVectors means{vectors.samples, 1, vectors.dim,
                          std::vector<float>(static_cast<size_t>(vectors.samples) * vectors.dim)};
    for (int sample = 0; sample < vectors.samples; ++sample)
        for (int instance = 0; instance < vectors.instances; ++instance)
            for (int i = 0; i < vectors.dim; ++i)
                means.values[static_cast<size_t>(sample) * vectors.dim + i] +=
                    vectors.row(sample, instance)[i] / static_cast<float>(vectors.instances);
    return means;
}

}  // namespace imprint::evaluation
