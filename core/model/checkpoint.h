// SPDX-License-Identifier: Apache-2.0
// A whole model in one file: configuration, weights, trunk, tokenizer, score background, provenance.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "core/model/checkpoint_info.h"
#include "core/model/parameters.h"

namespace imprint::model {

struct Checkpoint {
    ModelConfig config;
    Parameters parameters;          ///< every tensor of parameter_specs(config), fp32
    Parameters trunk;               ///< the trunk's own tensors by Trunk::parameter_names(); empty with the patch stem
    Parameters text_trunk;          ///< likewise by TextTrunk::parameter_names(); empty where texts are pieces of a table
    bool eight_bit = false;         ///< the matrices of the network and of both trunks are stored as 8-bit rows
    std::string tokenizer;          ///< the serialised SentencePiece model
    at::Tensor text_bank;           ///< [texts, joint_dim] unit vectors
    at::Tensor background_picture;  ///< [moments, joint_dim] unit vectors
    at::Tensor background_sound;    ///< likewise
    nlohmann::json provenance = nlohmann::json::object();
};

/// Throws Error naming the file: NotFound, Malformed (what and where), Unsupported (a newer format).
Checkpoint load_checkpoint(const SafetensorsFile& file);

/// Matrices are stored as bf16 (trunks and class texts as fp16, which holds their small range more exactly) or, with
/// `eight_bit`, as 8-bit rows (but for the picture trunk's filters); norms, router and temperatures as fp32. Written whole or not
/// at all.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

}  // namespace imprint::model
