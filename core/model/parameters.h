// SPDX-License-Identifier: Apache-2.0
// The tensors of a network by name: made at random, or taken from a file.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/model/config.h"
#include "core/model/safetensors.h"

namespace imprint::model {

/// Name → fp32 tensor. Copies share the tensors.
using Parameters = std::map<std::string, at::Tensor>;

/// Fresh tensors by the table of specs; the same seed gives the same bits whatever was drawn elsewhere, because every
/// tensor has a generator of its own, seeded by name. Frozen parts are zeros (deviations: ones), to be filled by the caller.
Parameters initial_parameters(const ModelConfig& config, uint64_t seed);

/// One tensor of them.
at::Tensor initial_parameter(const ParameterSpec& spec, uint64_t seed);

/// Tensors of the right shapes without contents, on device `meta`: for sizes that no memory holds.
Parameters meta_parameters(const ModelConfig& config);

/// Takes every tensor of the specs from a file and checks its shape: Error(Malformed) names file and tensor.
Parameters load_parameters(const ModelConfig& config, const SafetensorsFile& file);
/// The same for a network that has gained parts: what the file lacks, or has in another shape, starts as in initial_parameters.
Parameters load_grown_parameters(const ModelConfig& config, const SafetensorsFile& file, uint64_t seed);

/// Puts the trunk's tensors where the specs want them (kTrunkPrefix); nothing where the network has no tail of its own.
void take_trunk(Parameters& parameters, const ModelConfig& config, const Parameters& trunk);

/// A tensor of any floating type in the file as an fp32 tensor of its own.
at::Tensor to_tensor(const TensorView& view, const std::string& subject);

/// The tensor `name` of a checkpoint as fp32, whether stored as floating numbers or as 8-bit ones (I8), whose row r (all axes
/// but the last count rows) is multiplied by row r of "<name>.row_scale". Error(Malformed) where that is missing, has another
/// shape or holds what is no positive number.
at::Tensor read_tensor(const SafetensorsFile& file, const std::string& name);

/// A matrix for 8-bit storage: value ≈ values · scales of its row, off by at most half a scale.
struct EightBitRows {
    at::Tensor values;  ///< int8, the matrix's shape, −127 … 127
    at::Tensor scales;  ///< fp32, that shape without its last axis, all positive
};
EightBitRows eight_bit_rows(const at::Tensor& matrix);
inline constexpr const char* kRowScale = ".row_scale";

/// A tensor converted for storage; keeps the bytes alive.
struct StoredTensor {
    at::Tensor tensor;
    TensorView view;
};
StoredTensor to_stored(const at::Tensor& tensor, DType dtype);

}  // namespace imprint::model
