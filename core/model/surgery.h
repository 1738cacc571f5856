// SPDX-License-Identifier: Apache-2.0
// Changes to a network's structure that keep what it computes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/conversion.h"
#include "core/model/parameters.h"

namespace imprint::model {

/// A network's structure and its tensors.
struct Weights {
    ModelConfig config;
    Parameters parameters;
};

/// The sparse network of a dense one; see conversion.h. Before training:
///  * with normalise_gates, a sparse block gives every token that an expert took what the dense block gives it, and every
///    other token its input plus attention alone;
///  * without, and with capacity_factor = experts (every expert takes every token), the gates of a token sum to one, and the
///    outputs are those of the dense network up to rounding.
/// Tensors that do not change are shared. Throws Error(Usage) as upcycle_checkpoint does.
Weights upcycle(const Weights& dense, const UpcycleOptions& options);

/// The same network with fresh adapters of `rank` on the named matrices of its blocks (ModelConfig::lora_matrices): it gives
/// the same outputs until they are trained. Train the tensors whose specs say `adapter`, and no others.
Weights with_adapters(const Weights& base, int rank, double alpha, const std::vector<std::string>& matrices, uint64_t seed);

/// W + (alpha / rank) · up · down in W's place: the same outputs up to rounding, at no cost. Error(Usage) without adapters.
Weights merge_adapters(const Weights& adapted);

}  // namespace imprint::model
