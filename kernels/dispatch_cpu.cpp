// SPDX-License-Identifier: Apache-2.0
// Loops of dispatch and combine.
#include "kernels/dispatch_cpu.h"

#include <algorithm>
#include <array>

namespace imprint::kernels {
namespace {

constexpr int64_t kBlock = 256;  // columns whose sums stay in the first-level cache

}  // namespace

template <class T>
void gather_rows(const DispatchShape& shape, const T* x, const int64_t* slots, const Sum<T>* gates, T* rows, int64_t first,
                 int64_t last)
{
    for (int64_t row = first; row < last; ++row) {
        const int64_t slot = row % shape.capacity, group = row / shape.capacity % shape.groups;
        const int64_t expert = row / shape.capacity / shape.groups;
        const int64_t place = (group * shape.experts + expert) * shape.capacity + slot;
        T* to = rows + row * shape.width;
        if (slots[place] < 0) {
            std::fill_n(to, shape.width, T(0));
            continue;
        }
        const T* from = x + (group * shape.tokens + slots[place]) * shape.width;
        if (!gates) {
            std::copy_n(from, shape.width, to);
            continue;
        }
        for (int64_t i = 0; i < shape.width; ++i)
            to[i] = static_cast<T>(gates[place] * static_cast<Sum<T>>(from[i]));
    }
}

void invert_slots(const DispatchShape& shape, const int64_t* slots, int32_t* inverse, int64_t first, int64_t last)
{
    const int64_t per_group = shape.experts * shape.capacity;
    std::fill(inverse + first * shape.tokens * shape.experts, inverse + last * shape.tokens * shape.experts, -1);
    for (int64_t group = first; group < last; ++group)
        for (int64_t place = 0; place < per_group; ++place)
            if (const int64_t token = slots[group * per_group + place]; token >= 0)
                inverse[(group * shape.tokens + token) * shape.experts + place / shape.capacity] =
                    static_cast<int32_t>(place % shape.capacity);
}

template <class T>
void combine_tokens(const DispatchShape& shape, const T* rows, const Sum<T>* gates, const int32_t* inverse, T* result,
                    int64_t first, int64_t last)
{
    std::array<Sum<T>, kBlock> sums;
    for (int64_t item = first; item < last; ++item) {
        const int64_t group = item / shape.tokens;
        const int32_t* held = inverse + item * shape.experts;
        for (int64_t from = 0; from < shape.width; from += kBlock) {
            const int64_t count = std::min(kBlock, shape.width - from);
            sums.fill(0);
            for (int64_t expert = 0; expert < shape.experts; ++expert) {
                if (held[expert] < 0)
                    continue;
                const Sum<T> gate = gates ? gates[(group * shape.experts + expert) * shape.capacity + held[expert]] : Sum<T>(1);
                const T* row = rows + ((expert * shape.groups + group) * shape.capacity + held[expert]) * shape.width + from;
                for (int64_t i = 0; i < count; ++i)
                    sums[static_cast<size_t>(i)] += gate * static_cast<Sum<T>>(row[i]);
            }
            for (int64_t i = 0; i < count; ++i)
                result[item * shape.width + from + i] = static_cast<T>(sums[static_cast<size_t>(i)]);
        }
    }
}

template <class T>
void gate_gradients(const DispatchShape& shape, const T* grad, const T* rows, const int64_t* slots, Sum<T>* gradient,
                    int64_t first, int64_t last)
{
    constexpr int64_t kLanes = 16;
    for (int64_t place = first; place < last; ++place) {
        const int64_t slot = place % shape.capacity, expert = place / shape.capacity % shape.experts;
        const int64_t group = place / shape.capacity / shape.experts;
        gradient[place] = 0;
        if (slots[place] < 0)
            continue;
        const T* a = grad + (group * shape.tokens + slots[place]) * shape.width;
        const T* b = rows + ((expert * shape.groups + group) * shape.capacity + slot) * shape.width;
        std::array<Sum<T>, kLanes> lanes{};
        int64_t i = 0;
        for (; i + kLanes <= shape.width; i += kLanes)
            for (int64_t lane = 0; lane < kLanes; ++lane)
                lanes[static_cast<size_t>(lane)] += static_cast<Sum<T>>(a[i + lane]) * static_cast<Sum<T>>(b[i + lane]);
        for (; i < shape.width; ++i)
            lanes[static_cast<size_t>(i % kLanes)] += static_cast<Sum<T>>(a[i]) * static_cast<Sum<T>>(b[i]);
        for (const Sum<T> lane : lanes)
            gradient[place] += lane;
    }
}

#define IMPRINT_INSTANTIATE(T)                                                                                                   \
    template void gather_rows<T>(const DispatchShape&, const T*, const int64_t*, const Sum<T>*, T*, int64_t, int64_t);           \
    template void combine_tokens<T>(const DispatchShape&, const T*, const Sum<T>*, const int32_t*, T*, int64_t, int64_t);        \
    template void gate_gradients<T>(const DispatchShape&, const T*, const T*, const int64_t*, Sum<T>*, int64_t, int64_t);
IMPRINT_INSTANTIATE(float)
IMPRINT_INSTANTIATE(double)
IMPRINT_INSTANTIATE(c10::BFloat16)

}  // namespace imprint::kernels
