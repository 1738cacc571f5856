// SPDX-License-Identifier: Apache-2.0
// How a vector stands to the text bank: the numbers that put all scores on one scale. Private to this folder.
#pragma once

#include <span>

#include "core/encoder.h"

namespace imprint::index {

struct BankStats {
    float mean = 0, deviation = 1;
};

/// Mean and (population) deviation of the vector's cosines to the bank's rows. The deviation has a floor of 1e-3, so that
/// a vector that is equally far from every text cannot make its scores explode.
BankStats bank_stats(std::span<const float> vector, const Vectors& bank);

}  // namespace imprint::index
