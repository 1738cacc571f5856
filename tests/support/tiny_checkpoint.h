// SPDX-License-Identifier: Apache-2.0
// A complete, very small checkpoint with random weights: the real loading and encoding code at a fraction of the cost.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace imprint::tests {

/// Writes <dir>/tiny.safetensors (about 1 MB) and returns its path. Same seed, same bytes. `normalizer` is SentencePiece's
/// rule for texts; the table of the usual one is a quarter of the file. `sparse`: the last block is a mixture of three
/// experts; else it is dense and the file is called tiny-dense.safetensors.
std::filesystem::path make_tiny_checkpoint(const std::filesystem::path& dir, uint64_t seed = 1,
                                           const std::string& normalizer = "nmt_nfkc_cf", bool sparse = true);

}  // namespace imprint::tests
