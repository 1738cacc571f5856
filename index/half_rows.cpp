// SPDX-License-Identifier: Apache-2.0
// A scan is bound by memory: half the bytes are half the time, and the processor turns them into floats on the way.
#include "index/half_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/error.h"
#include "index/calibration.h"
#include "index/half.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace imprint::index {
namespace {

using Dot = void (*)(const float*, const uint16_t*, int64_t, size_t, float*);

void dot_plain(const float* query, const uint16_t* rows, int64_t count, size_t dim, float* out)
{
    for (int64_t i = 0; i < count; ++i, rows += dim) {
        float sum = 0;
        for (size_t d = 0; d < dim; ++d)
            sum += query[d] * from_half(rows[d]);
        out[i] = sum;
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512vl,f16c"))) void dot_avx512(const float* query, const uint16_t* rows, int64_t count,
                                                                 size_t dim, float* out)
{
    for (int64_t i = 0; i < count; ++i, rows += dim) {
        __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
        size_t d = 0;
        for (; d + 32 <= dim; d += 32)
            for (const size_t lane : {size_t(0), size_t(1)}) {
                const auto* halves = reinterpret_cast<const __m256i*>(rows + d + 16 * lane);
                const __m512 values = _mm512_cvtph_ps(_mm256_loadu_si256(halves));
                sums[lane] = _mm512_fmadd_ps(values, _mm512_loadu_ps(query + d + 16 * lane), sums[lane]);
            }
        float sum = _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]));
        for (; d < dim; ++d)
            sum += query[d] * _cvtsh_ss(rows[d]);
        out[i] = sum;
    }
}

__attribute__((target("avx2,fma,f16c"))) void dot_avx2(const float* query, const uint16_t* rows, int64_t count, size_t dim,
                                                       float* out)
{
    for (int64_t i = 0; i < count; ++i, rows += dim) {
        __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
        size_t d = 0;
        for (; d + 16 <= dim; d += 16)
            for (const size_t lane : {size_t(0), size_t(1)}) {
                const auto* halves = reinterpret_cast<const __m128i*>(rows + d + 8 * lane);
                const __m256 values = _mm256_cvtph_ps(_mm_loadu_si128(halves));
                sums[lane] = _mm256_fmadd_ps(values, _mm256_loadu_ps(query + d + 8 * lane), sums[lane]);
            }
        alignas(32) float lanes[8];
        _mm256_store_ps(lanes, _mm256_add_ps(sums[0], sums[1]));
        float sum = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
        for (; d < dim; ++d)
            sum += query[d] * _cvtsh_ss(rows[d]);
        out[i] = sum;
    }
}

Dot fastest()
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        return dot_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))
        return dot_avx2;
    return dot_plain;
}
#else
Dot fastest() { return dot_plain; }
#endif

}  // namespace

void dot_halves(std::span<const float> query, const uint16_t* rows, int64_t count, float* out)
{
    static const Dot dot = fastest();
    dot(query.data(), rows, count, query.size(), out);
}

int64_t HalfRows::bytes() const
{
    return static_cast<int64_t>(blocks_.size()) * kBlock * (2 * dim_ + 2 * static_cast<int64_t>(sizeof(float)));
}

void HalfRows::append(std::span<const uint16_t> half, std::span<const float> stats)
{
    const auto dim = static_cast<size_t>(dim_);
    const size_t count = stats.size() / 2;
    IMPRINT_ASSERT(half.size() == count * dim && stats.size() == 2 * count);
    for (size_t done = 0; done < count;) {
        const auto in_block = static_cast<size_t>(size_ % kBlock);
        if (in_block == 0) {
            auto block = std::make_shared<Block>();
            block->halves = std::make_unique_for_overwrite<uint16_t[]>(static_cast<size_t>(kBlock) * dim);
            block->stats = std::make_unique_for_overwrite<float[]>(2 * static_cast<size_t>(kBlock));
            blocks_.push_back(std::move(block));
        }
        const size_t now = std::min(count - done, static_cast<size_t>(kBlock) - in_block);
        std::copy_n(half.data() + done * dim, now * dim, blocks_.back()->halves.get() + in_block * dim);
        std::copy_n(stats.data() + 2 * done, 2 * now, blocks_.back()->stats.get() + 2 * in_block);
        done += now;
        size_ += static_cast<int64_t>(now);
    }
}

std::span<const uint16_t> HalfRows::half(int64_t row) const
{
    const auto dim = static_cast<size_t>(dim_);
    return {blocks_[static_cast<size_t>(row / kBlock)]->halves.get() + static_cast<size_t>(row % kBlock) * dim, dim};
}

std::span<const float> HalfRows::stats(int64_t row) const
{
    return {blocks_[static_cast<size_t>(row / kBlock)]->stats.get() + 2 * static_cast<size_t>(row % kBlock), 2};
}

void HalfRows::standardised(int64_t row, std::span<float> out) const
{
    const auto dim = static_cast<size_t>(dim_);
    from_half(half(row), out.first(dim));
    out[dim] = bank_score(0, stats(row)[0]);
}

void HalfRows::score(std::span<const float> query, int64_t first, int64_t count, float* out) const
{
    dot_halves(query.first(static_cast<size_t>(dim_)), half(first).data(), count, out);
    const float* known = stats(first).data();
    for (int64_t i = 0; i < count; ++i)
        out[i] = bank_score(out[i], known[2 * i]);
}

float HalfRows::exact_score(std::span<const float> query, int64_t row) const
{
    double product = 0;
    const std::span<const uint16_t> halves = half(row);
    for (size_t d = 0; d < halves.size(); ++d)
        product += static_cast<double>(query[d]) * static_cast<double>(from_half(halves[d]));
    return bank_score(static_cast<float>(product), stats(row)[0]);
}

}  // namespace imprint::index
