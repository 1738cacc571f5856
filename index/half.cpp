// SPDX-License-Identifier: Apache-2.0
// Half float conversion in integers.
#include "index/half.h"

#include <bit>

#include "core/base/error.h"

namespace imprint::index {

uint16_t to_half(float value)
{
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return sign | 0x7e00u;
    if (magnitude >= 0x477ff000u)  // half of the way from 65504 to 65536: rounds to infinity
        return sign | 0x7c00u;
    if (magnitude < 0x33000000u)  // below 2^-25: rounds to zero
        return sign;
    const int exponent = static_cast<int>(magnitude >> 23) - 127;
    const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    const int drop = exponent < -14 ? -1 - exponent : 13;  // bits of the mantissa that a half cannot hold
    const uint32_t kept = mantissa >> drop;
    const uint32_t rest = mantissa & ((1u << drop) - 1u);
    const uint32_t tie = 1u << (drop - 1);
    const uint32_t rounded = kept + (rest > tie || (rest == tie && (kept & 1u)) ? 1u : 0u);
    // A carry out of the mantissa moves into the exponent, which is the right answer there.
    const uint32_t biased = exponent < -14 ? rounded : rounded + (static_cast<uint32_t>(exponent + 14) << 10);
    return static_cast<uint16_t>(sign | biased);
}

float from_half(uint16_t half)
{
    const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
    const uint32_t exponent = half >> 10 & 0x1fu;
    const uint32_t mantissa = half & 0x3ffu;
    if (exponent == 0x1fu)
        return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
    if (exponent != 0)
        return std::bit_cast<float>(sign | (exponent + 112u) << 23 | mantissa << 13);
    if (mantissa == 0)
        return std::bit_cast<float>(sign);
    const int shift = std::countl_zero(mantissa) - 21;  // brings the leading one to bit 10
    return std::bit_cast<float>(sign | static_cast<uint32_t>(113 - shift) << 23 | (mantissa << shift & 0x3ffu) << 13);
}

std::vector<uint16_t> to_half(std::span<const float> values)
{
    std::vector<uint16_t> halves(values.size());
    for (size_t i = 0; i < values.size(); ++i)
        halves[i] = to_half(values[i]);
    return halves;
}

void from_half(std::span<const uint16_t> halves, std::span<float> out)
{
    IMPRINT_ASSERT(halves.size() == out.size());
    for (size_t i = 0; i < halves.size(); ++i)
        out[i] = from_half(halves[i]);
}

}  // namespace imprint::index
