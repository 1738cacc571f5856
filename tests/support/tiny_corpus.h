// SPDX-License-Identifier: Apache-2.0
// A whole training corpus of a few files, and a recipe that is done with it in seconds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace imprint::tests {

/// joint_dim of tiny_recipe(), and so of the corpus's teacher vectors.
constexpr int64_t kTinyDim = 32;

/// Of a recipe's [model]: a network that fits the trunk, class texts and vocabulary of the tiny checkpoint.
inline constexpr const char* kTinyNetwork = R"(width = 64
layers = 2
heads = 1
ffn_width = 96
sparse_layers = 1
experts = 3
head_width = 48
joint_dim = 32
trunk_channels = 24
trunk_classes = 12
vocabulary = 80
)";

/// Writes a corpus of the samples that come with the program, with random teacher vectors and a tiny random trunk.
void make_tiny_corpus(const std::filesystem::path& root);

/// A recipe over it that draws all six objectives: 12 steps, a state every 4.
std::string tiny_recipe(const std::filesystem::path& corpus, const std::string& precision);

}  // namespace imprint::tests
