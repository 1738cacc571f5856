// SPDX-License-Identifier: Apache-2.0
// Loops of routing. Every token's softmax is summed in order of experts, whatever stands beside it.
#include "kernels/routing_cpu.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace imprint::kernels {
namespace {

/// Probabilities [experts, tokens], so that an expert reads its column in one go.
template <class T>
std::vector<T> probabilities_by_expert(const RoutingShape& shape, const T* logits, T* log_sums)
{
    std::vector<T> probabilities(static_cast<size_t>(shape.experts * shape.tokens));
    for (int64_t token = 0; token < shape.tokens; ++token) {
        const T* row = logits + token * shape.experts;
        const T high = *std::max_element(row, row + shape.experts);
        T sum = 0;
        for (int64_t expert = 0; expert < shape.experts; ++expert) {
            const T power = std::exp(row[expert] - high);
            probabilities[static_cast<size_t>(expert * shape.tokens + token)] = power;
            sum += power;
        }
        for (int64_t expert = 0; expert < shape.experts; ++expert)
            probabilities[static_cast<size_t>(expert * shape.tokens + token)] /= sum;
        log_sums[token] = high + std::log(sum);
    }
    return probabilities;
}

/// Falling values, equal ones by index, NaN first: a total order, as sorting needs one.
template <class T>
auto falling(const T* values)
{
    return [values](int64_t a, int64_t b) {
        const T x = values[a], y = values[b];
        if (std::isnan(x) || std::isnan(y))
            return std::isnan(x) == std::isnan(y) ? a < b : std::isnan(x);
        return x == y ? a < b : x > y;
    };
}

}  // namespace

template <class T>
void experts_choose_group(const RoutingShape& shape, const T* logits, int64_t* slots, T* gates, T* log_sums)
{
    const std::vector<T> probabilities = probabilities_by_expert(shape, logits, log_sums);
    std::vector<int64_t> order(static_cast<size_t>(shape.tokens));
    for (int64_t expert = 0; expert < shape.experts; ++expert) {
        const T* column = probabilities.data() + expert * shape.tokens;
        std::iota(order.begin(), order.end(), 0);
        if (shape.capacity < shape.tokens)
            std::nth_element(order.begin(), order.begin() + shape.capacity, order.end(), falling(column));
        std::sort(order.begin(), order.begin() + shape.capacity, falling(column));
        for (int64_t slot = 0; slot < shape.capacity; ++slot) {
            slots[expert * shape.capacity + slot] = order[static_cast<size_t>(slot)];
            gates[expert * shape.capacity + slot] = column[order[static_cast<size_t>(slot)]];
        }
    }
}

template <class T>
void tokens_choose_group(const RoutingShape& shape, int64_t choices, bool batch_priority, const T* logits, int64_t* slots,
                         T* gates, T* log_sums, int64_t* claims)
{
    const std::vector<T> probabilities = probabilities_by_expert(shape, logits, log_sums);
    const auto probability = [&](int64_t token, int64_t expert) {
        return probabilities[static_cast<size_t>(expert * shape.tokens + token)];
    };
    std::vector<int64_t> chosen(static_cast<size_t>(shape.tokens * choices));
    std::vector<int64_t> ranking(static_cast<size_t>(shape.experts));
    std::vector<T> row(static_cast<size_t>(shape.experts)), best(static_cast<size_t>(shape.tokens));
    for (int64_t token = 0; token < shape.tokens; ++token) {
        for (int64_t expert = 0; expert < shape.experts; ++expert)
            row[static_cast<size_t>(expert)] = probability(token, expert);
        std::iota(ranking.begin(), ranking.end(), 0);
        std::partial_sort(ranking.begin(), ranking.begin() + choices, ranking.end(), falling(row.data()));
        std::copy_n(ranking.begin(), choices, chosen.begin() + token * choices);
        best[static_cast<size_t>(token)] = row[static_cast<size_t>(ranking.front())];
    }
    std::vector<int64_t> order(static_cast<size_t>(shape.tokens));
    std::iota(order.begin(), order.end(), 0);
    if (batch_priority)
        std::sort(order.begin(), order.end(), falling(best.data()));

    std::fill_n(slots, shape.experts * shape.capacity, -1);
    std::fill_n(gates, shape.experts * shape.capacity, T(0));
    std::fill_n(claims, shape.experts, 0);
    for (int64_t rank = 0; rank < choices; ++rank)
        for (const int64_t token : order) {
            const int64_t expert = chosen[static_cast<size_t>(token * choices + rank)];
            const int64_t slot = claims[expert]++;
            if (slot >= shape.capacity)
                continue;
            slots[expert * shape.capacity + slot] = token;
            gates[expert * shape.capacity + slot] = probability(token, expert);
        }
}

template <class T>
void route_backward_group(const RoutingShape& shape, const T* grad_gates, const T* grad_log_sums, const T* logits,
                          const int64_t* slots, T* gradient)
{
    std::fill_n(gradient, shape.tokens * shape.experts, T(0));
    for (int64_t expert = 0; expert < shape.experts; ++expert)
        for (int64_t slot = 0; slot < shape.capacity; ++slot)
            if (const int64_t token = slots[expert * shape.capacity + slot]; token >= 0 && token < shape.tokens)
                gradient[token * shape.experts + expert] = grad_gates[expert * shape.capacity + slot];
    std::vector<T> probabilities(static_cast<size_t>(shape.experts));
    for (int64_t token = 0; token < shape.tokens; ++token) {
        const T* row = logits + token * shape.experts;
        T* out = gradient + token * shape.experts;
        const T high = *std::max_element(row, row + shape.experts);
        T sum = 0;
        for (int64_t expert = 0; expert < shape.experts; ++expert)
            sum += probabilities[static_cast<size_t>(expert)] = std::exp(row[expert] - high);
        T mean = 0;
        for (int64_t expert = 0; expert < shape.experts; ++expert) {
            probabilities[static_cast<size_t>(expert)] /= sum;
            mean += out[expert] * probabilities[static_cast<size_t>(expert)];
        }
        for (int64_t expert = 0; expert < shape.experts; ++expert)
            out[expert] = probabilities[static_cast<size_t>(expert)] * (out[expert] - mean + grad_log_sums[token]);
    }
}

#define IMPRINT_INSTANTIATE(T)                                                                                                   \
    template void experts_choose_group<T>(const RoutingShape&, const T*, int64_t*, T*, T*);                                      \
    template void tokens_choose_group<T>(const RoutingShape&, int64_t, bool, const T*, int64_t*, T*, T*, int64_t*);              \
    template void route_backward_group<T>(const RoutingShape&, const T*, const T*, const T*, const int64_t*, T*);
IMPRINT_INSTANTIATE(float)
IMPRINT_INSTANTIATE(double)

}  // namespace imprint::kernels
