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

/// A tensor of any floating type in the file as an fp32 tensor of its own.
at::Tensor to_tensor(const TensorView& view, const std::string& subject);

/// A tensor converted for storage; keeps the bytes alive.
struct StoredTensor {
    at::Tensor tensor;
    TensorView view;
};
StoredTensor to_stored(const at::Tensor& tensor, DType dtype);

}  // namespace imprint::model
