// SPDX-License-Identifier: Apache-2.0
// Turning one checkpoint into another. Free of torch.
#pragma once

#include <cstdint>
#include <filesystem>

namespace imprint::model {

/// Sparse upcycling (Komatsuzaki et al. 2023): every expert starts as a copy of the dense feed-forward network.
struct UpcycleOptions {
    int experts = 4;
    int layers = 0;                ///< how many of the last blocks become sparse; 0: half of them
    double capacity_factor = 1.0;  ///< slots per token
    /// A token's output is divided by the sum of the gates that took it, so that a token that any expert took gets exactly
    /// what the dense network gave it. Without, as in the paper's router, it gets that times the sum, near 1 / experts.
    bool normalise_gates = true;
    uint64_t seed = 1;  ///< of the routers, the only new weights
};

/// Reads a dense checkpoint and writes a mixture of experts that computes the same but for what routing drops. Everything
/// else of the checkpoint stays, the score statistics of the dense network too: train it, then measure anew.
/// Throws Error: Usage (a mixture already, impossible sizes), and what reading and writing throw.
void upcycle_checkpoint(const std::filesystem::path& in, const std::filesystem::path& out, const UpcycleOptions& options);

/// Folds a checkpoint's adapters (LoRA) into its matrices. Error(Usage) where it has none.
void merge_checkpoint(const std::filesystem::path& in, const std::filesystem::path& out);

}  // namespace imprint::model
