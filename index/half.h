// SPDX-License-Identifier: Apache-2.0
// IEEE 754 half floats as stored in the catalog. Rounding is to nearest, ties to even, on every machine: done in integers,
// so that neither the processor's instructions nor its flush-to-zero mode can change a stored bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace imprint::index {

uint16_t to_half(float value);
float from_half(uint16_t half);

std::vector<uint16_t> to_half(std::span<const float> values);
/// `out` has the size of `halves`.
void from_half(std::span<const uint16_t> halves, std::span<float> out);

}  // namespace imprint::index
